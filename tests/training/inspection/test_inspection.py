"""What is found in data, on data whose answers are known."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.training.data.folders import MakeFolder, picture
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading
from training.inspection import inspect


def test_counts_copies_and_contradictions_are_found(folder: MakeFolder) -> None:
    images = [picture(i % 6, "RGBA", (16, 16)) for i in range(9)]  # the last three are copies of the first
    found = inspect(
        ImageDataset(folder("kind,level", ["a,0", "b,1", "a,2", "b,", "a,1", "b,1", "a,0", "a,1", ",2"], images))
    )
    kind, level = found.attributes
    assert (found.rows, found.image_shape, found.copies, found.near_copies) == (9, (16, 16, 4), 3, 0)
    assert kind.counts.tolist() == [5, 3]
    assert (kind.missing, level.missing) == (1, 1)
    assert found.contradictions == 2, "rows 1 and 7 are equal images of b and a"
    assert kind.ceiling == 7 / 8
    assert level.ceiling == 1


def test_near_copies_are_found(folder: MakeFolder) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    near = pixels[0].copy()
    near[3, 5] ^= 64
    images = [Image.fromarray(each) for each in (*pixels, near)]
    found = inspect(ImageDataset(folder("x", ["a", "b", "a", "b"], images)))
    assert (found.copies, found.near_copies) == (0, 1)


def test_colours_are_those_that_can_be_seen(folder: MakeFolder) -> None:
    pixels = np.zeros((2, 8, 8, 4), np.uint8)
    pixels[..., 0] = np.arange(64).reshape(8, 8)
    pixels[:, 4:, :, 3] = 255
    pixels[1, 4, 4, 3] = 7
    found = inspect(ImageDataset(folder("x", ["a", "b"], [Image.fromarray(each) for each in pixels])))
    assert (found.colours, found.alphas, found.brightest) == (32, 3, 63)


def test_attributes_that_settle_the_picture_explain_it(folder: MakeFolder) -> None:
    rng = np.random.default_rng(0)
    rows, images = [], []
    for _ in range(400):
        left, right, nothing = rng.integers(0, 4, 3)
        pixels = np.zeros((8, 16), np.uint8)
        pixels[:, :8], pixels[:, 8:] = 60 * left, 60 * right
        rows.append(f"{left},{right},{nothing}")
        images.append(Image.fromarray(pixels))
    found = inspect(ImageDataset(folder("left,right,nothing", rows, images), reading=Reading(hold_out="images")))
    left, right, nothing = found.attributes
    assert 0.45 < left.explained < 0.55
    assert 0.45 < right.explained < 0.55
    assert nothing.explained < 0.03
    assert found.explained > 0.999


def test_real_characters(sprite_art: Path) -> None:
    found = inspect(ImageDataset(sprite_art / "crawl_dolls_sheet_8000.png", reading=Reading(tile=(32, 32))))
    assert (found.rows, found.colours, found.held_out) == (8000, 184, {"held out": 819})
    assert 0.85 < found.explained < 0.95
    boots = next(each for each in found.attributes if each.attribute.name == "boots")
    assert 0.99 < boots.ceiling < 1, "robes hide boots"
