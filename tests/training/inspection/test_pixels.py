"""One pass over all images."""

import numpy as np
from PIL import Image

from tests.training.data.folders import MakeFolder
from training.data.image_dataset import ImageDataset
from training.inspection.pixels import CHUNK, Pixels


def test_every_image_is_looked_at(folder: MakeFolder) -> None:
    count = CHUNK + 3
    images = [Image.fromarray(np.full((8, 8), i % 251, np.uint8)) for i in range(count)]
    pixels = Pixels(ImageDataset(folder("x", ["a"] * count, images)))
    assert len(np.unique(pixels.keys)) == 251
    assert (pixels.keys[:251] == pixels.keys[251:502]).all()
    assert pixels.colours.sum() == 251
    assert pixels.alphas.tolist() == [False] * 255 + [True]
    assert pixels.brightest == 250
