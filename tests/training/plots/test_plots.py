from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.inference import TorchAutoencoder
from training.plots.canvas import COLUMNS, GAP, grid, save
from training.plots.traversals import traversals
from training.runs import Run


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grid_places_every_image(channels: int, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 28, 40, channels), np.uint8)
    picture = grid([*images])
    step_y, step_x = 28 + GAP, 40 + GAP
    for i in range(2):
        for j in range(3):
            top, left = GAP + i * step_y, GAP + j * step_x
            assert (picture[top : top + 28, left : left + 40] == images[i, j]).all()
    save(picture, tmp_path / "new" / "grid.png")
    with Image.open(tmp_path / "new" / "grid.png") as image:
        assert (np.asarray(image).reshape(picture.shape) == picture).all()


def test_traversals_have_a_named_row_for_each_attribute(small_run: Run) -> None:
    autoencoder = TorchAutoencoder(small_run.load())
    book = autoencoder.codebook
    picture = traversals(autoencoder)
    height, width = 5 * (64 + GAP) + GAP, COLUMNS * (64 + GAP) + GAP
    assert picture.shape[0] == height
    margin = picture.shape[1] - width
    dark = (picture[:, :margin] < 128).any(axis=(1, 2)).nonzero()[0]
    assert {int(row) // (64 + GAP) for row in dark} == {0, 1, 2, 3, 4}
    first = picture[GAP : GAP + 64, margin + GAP : margin + GAP + 64, 0]
    expected = autoencoder.decode(book.place(book.attributes.weights({"shape": "square"})[None]))[0, :, :, 0]
    assert (first == np.rint(expected * 255)).all()
