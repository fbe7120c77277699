"""Examples of each class."""

import numpy as np
from PIL import Image

from tests.training.data.folders import MakeFolder
from training.data.image_dataset import ImageDataset
from training.plots.contact_sheet import MAX_ROWS, contact_sheet, contact_sheets


def test_a_row_shows_only_images_of_its_class(folder: MakeFolder) -> None:
    images = [Image.new("RGB", (16, 16), [(255, 0, 0), (0, 255, 0)][i % 2]) for i in range(9)]
    rows = [["red", "green"][i % 2] for i in range(8)] + [""]
    ((name, sheet),) = contact_sheets(ImageDataset(folder("hue", rows, images)))
    assert name == "hue"
    green, red = sheet[: len(sheet) // 2], sheet[len(sheet) // 2 :]
    assert (green == (0, 255, 0)).all(axis=-1).sum() == 4 * 64 * 64  # enlarged four times
    assert not (green == (255, 0, 0)).all(axis=-1).any()
    assert (red == (255, 0, 0)).all(axis=-1).sum() == 4 * 64 * 64, "the image without a label is not shown"


def test_of_many_classes_the_most_frequent_are_shown(folder: MakeFolder) -> None:
    labels = [str(i // (1 + (i < 60))) for i in range(90)]
    dataset = ImageDataset(folder("x", labels, [Image.new("L", (64, 64), i) for i in range(90)]), ["x=nominal"])
    classes = np.arange(90) % 45
    tall = contact_sheet(dataset, classes, [str(i) for i in range(45)])
    assert tall.shape[0] == MAX_ROWS * 66 + 2
