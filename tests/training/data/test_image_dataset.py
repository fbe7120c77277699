"""The images of a folder, and the dataset that they make."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import MakeFolder, picture, refusal
from training.data.dataset import Dataset, lowest_tenth
from training.data.image_dataset import ImageDataset


def test_images_come_back_bit_by_bit_in_the_order_asked_for(folder: MakeFolder) -> None:
    images = [picture(i, "RGB", (40, 29)) for i in range(3)]
    dataset = ImageDataset(folder("x", ["0", "1", "2"], images))
    assert (len(dataset), dataset.image_shape, dict(dataset.ceilings)) == (3, (29, 40, 3), {})
    batch = dataset.batch(np.array([2, 0]))
    assert batch.images.dtype == np.uint8
    assert np.array_equal(batch.images, np.stack([np.asarray(images[2]), np.asarray(images[0])]))
    assert batch.targets.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("modes", "channels"),
    [
        (["L", "L"], 1),
        (["L", "1"], 1),
        (["L", "RGB"], 3),
        (["P", "L"], 3),
        (["RGB", "RGBA"], 4),
        (["L", "LA"], 4),
        (["P", "P+transparent"], 4),
        (["RGB", "RGB+transparent"], 4),
    ],
)
def test_the_richest_image_decides_the_channels_of_all(folder: MakeFolder, modes: list[str], channels: int) -> None:
    images = []
    for i, mode in enumerate(modes):
        image = picture(i, "RGB").convert(mode.split("+")[0])
        if mode.endswith("+transparent"):
            image.info["transparency"] = 0 if mode[0] == "P" else (1, 2, 3)
        images.append(image)
    dataset = ImageDataset(folder("x", ["0", "1"], images))
    assert dataset.image_shape == (28, 32, channels)
    assert len(np.unique(dataset.batch(np.arange(2)).images, axis=0)) == 2


def test_grey_in_a_coloured_folder_repeats_its_channel_and_is_opaque(folder: MakeFolder) -> None:
    images = [picture(0), picture(1, "RGBA")]
    grey, coloured = ImageDataset(folder("x", ["0", "1"], images)).batch(np.arange(2)).images
    assert np.array_equal(grey[..., :3], np.repeat(np.asarray(images[0])[..., None], 3, axis=2))
    assert (grey[..., 3] == 255).all()
    shown = np.asarray(images[1]).copy()
    shown[shown[..., 3] == 0] = 0  # nobody sees the colour of what is transparent
    assert np.array_equal(coloured, shown)


@pytest.mark.parametrize("form", ["bmp", "gif", "jpg", "webp"])
def test_other_formats_are_read(tmp_path: Path, form: str) -> None:
    Image.new("RGB", (28, 128), (200, 0, 0)).save(tmp_path / f"a.{form}")
    (tmp_path / "labels.csv").write_text(f"file,x\na.{form},orc\n")
    dataset = ImageDataset(tmp_path)
    assert dataset.image_shape == (128, 28, 3)
    assert np.abs(dataset.batch(np.array([0])).images[0, 0, 0].astype(int) - [200, 0, 0]).max() < 8


def test_the_split_goes_by_sha256_of_the_pixels_so_that_copies_share_a_side(folder: MakeFolder) -> None:
    images = [picture(i % 300) for i in range(600)]
    dataset = ImageDataset(folder("x", [str(i % 7) for i in range(600)], images))
    digests = [hashlib.sha256(np.asarray(image).tobytes()).digest()[:8] for image in images]
    keys = np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)
    side = dataset.held_out
    assert np.array_equal(side, lowest_tenth(keys))
    assert (side[:300] == side[300:]).all()
    assert 0 < side.sum() < 300


@pytest.mark.parametrize("size", [(7, 64), (64, 257), (9000, 9000)])
def test_sides_outside_8_to_256_are_refused(folder: MakeFolder, size: tuple[int, int]) -> None:
    message = refusal(folder("x", ["0", "1"], [Image.new("1", size)] * 2))
    assert f"labels.csv: images are {size[0]} x {size[1]} (width x height); each must be 8 to 256" in message


@pytest.mark.parametrize("side", [8, 256])
def test_the_smallest_and_the_largest_sides_are_read(folder: MakeFolder, side: int) -> None:
    path = folder("x", ["0", "1"], [picture(i, size=(side, side)) for i in range(2)])
    assert ImageDataset(path).image_shape == (side, side, 1)


def test_sixteen_bits_and_animations_are_refused(folder: MakeFolder) -> None:
    deep = Image.fromarray(np.full((28, 32), 4096, np.uint16))
    assert "row 3: '1.png' has I;16 pixels" in refusal(folder("x", ["0", "1"], [picture(0), deep]))
    path = folder("x", ["0", "1"])
    picture(0).save(path / "1.png", save_all=True, append_images=[picture(1)])
    assert "row 3: '1.png' is an animation" in refusal(path)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"no image"])
def test_a_damaged_image_is_named_with_its_row(folder: MakeFolder, damage: Callable[[bytes], bytes]) -> None:
    path = folder("x", ["0", "1"])
    (path / "1.png").write_bytes(damage((path / "1.png").read_bytes()))
    assert f"{path / 'labels.csv'}, row 3: '1.png' is damaged" in refusal(path)


def test_a_format_is_told_by_content_and_others_stay_closed(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    picture(0).save(path / "1.png", format="TIFF")
    assert "row 3: '1.png' is damaged, or not one of PNG, JPEG, GIF, BMP, WEBP" in refusal(path)


def test_a_turned_image_is_read_upright_as_the_service_reads_it(folder: MakeFolder) -> None:
    path = folder("level", ["0", "1"])
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows are columns
    sideways = picture(0, size=(28, 32))
    sideways.save(path / "0.png", exif=exif)
    image = ImageDataset(path).batch(np.array([0])).images[0, :, :, 0]
    assert (image == np.rot90(np.asarray(sideways), -1)).all()


def test_other_labels_are_other_content_but_the_same_split(folder: MakeFolder) -> None:
    first = ImageDataset(folder("level", ["0", "1", "1"]))
    second = ImageDataset(folder("level", ["1", "0", "1"]))
    assert first.content != second.content
    assert (first.held_out == second.held_out).all()


def test_labelled_is_what_batches_know(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("level,kind", ["0,", ",", "1,a"]))
    assert dataset.labelled.tolist() == [[True, False], [False, False], [True, True]]
    assert np.array_equal(dataset.batch(np.arange(3)).known, dataset.labelled)


def test_nothing_is_rendered_between_images(folder: MakeFolder) -> None:
    dataset: Dataset = ImageDataset(folder("level", ["0", "1"]))
    assert dataset.render(np.zeros((1, 1))) is None


def test_images_may_lie_in_folders_below(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    (path / "below").mkdir()
    (path / "0.png").rename(path / "below" / "0.png")
    (path / "labels.csv").write_text("file,x\nbelow/0.png,a\n1.png,b\n")
    assert len(ImageDataset(path)) == 2
