"""Arrays of factors: names, kinds and units."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import refusal
from training.data.image_dataset import ImageDataset

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 16, 10), np.uint8)


def save(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "art.npz", **arrays)
    return folder / "art.npz"


def test_classes_with_evenly_spaced_values_are_ordinal_in_their_units(tmp_path: Path) -> None:
    classes = np.stack([np.arange(12) % 3, np.arange(12) % 4], axis=1)
    values = np.stack([0.5 + 0.25 * classes[:, 0], np.array([1.0, 2, 4, 8])[classes[:, 1]]], axis=1)
    names = np.array(["size", "x y"])
    path = save(tmp_path, imgs=IMAGES, latents_classes=classes, latents_values=values, latents_names=names)
    dataset = ImageDataset(path)
    size, other = dataset.attributes
    assert (size.name, size.kind, size.size, size.range) == ("size", "ordinal", 3, (0.5, 1.0))
    assert (other.name, other.kind, other.size, other.range) == ("x_y", "ordinal", 4, (0, 3))
    assert dataset.batch(np.arange(12)).targets[:, :3].argmax(axis=1).tolist() == classes[:, 0].tolist()
    assert np.array_equal(dataset.batch(np.arange(12)).images[..., 0], IMAGES)


def test_labels_are_factors_with_numbers_where_nothing_names_them(tmp_path: Path) -> None:
    labels = np.stack([np.arange(12) % 3, np.arange(12) % 2], axis=1)
    assert [each.name for each in ImageDataset(save(tmp_path, images=IMAGES, labels=labels)).attributes] == [
        "factor_0",
        "factor_1",
    ]
    single = ImageDataset(save(tmp_path, images=IMAGES, y=np.arange(12) % 3))
    assert [(each.name, each.kind) for each in single.attributes] == [("label", "ordinal")]


def test_an_array_for_each_attribute_bears_its_name(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = save(
        tmp_path,
        images=IMAGES,
        hair=np.array(["red", "blue"] * 6),
        glow=np.linspace(0, 1, 12) ** 2,
        same=np.ones(12),
        part=np.zeros(3),
    )
    dataset = ImageDataset(path)
    assert [(each.name, each.kind) for each in dataset.attributes] == [("hair", "nominal"), ("glow", "continuous")]
    assert "left out, as they are the same everywhere: same" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arrays", "hint"),
    [
        ({"pixels": IMAGES}, "has no array of images (imgs, images, image"),
        ({"imgs": IMAGES}, "nothing tells the attributes of its 12 images"),
        ({"imgs": IMAGES, "latents_classes": np.zeros((3, 2), int)}, "latents_classes has the shape [3, 2]; 12 images"),
        (
            {"imgs": IMAGES, "labels": np.zeros((12, 2), int), "names": np.array(["a"])},
            "names has 1 names (a) for 2 factors",
        ),
        ({"imgs": IMAGES.astype(np.int64), "y": np.arange(12)}, "holds int64; images are bytes (uint8), booleans"),
        ({"imgs": IMAGES[:, 0], "y": np.arange(12)}, "has the shape [12, 10]; images are [N, H, W]"),
        ({"imgs": IMAGES[:, :7], "y": np.arange(12) % 2}, "images are 10 x 7 (width x height); each must be 8 to 256"),
        ({"imgs": IMAGES / 100, "y": np.arange(12) % 2}, "row 0: has values from 0"),
        ({"imgs": IMAGES, "y": np.arange(12).astype("datetime64[s]")}, "label is datetime64[s]; labels"),
    ],
    ids=["no images", "no labels", "few labels", "few names", "integers", "no shape", "low", "floats", "dates"],
)
def test_wrong_arrays_are_refused_with_what_was_found(tmp_path: Path, arrays: dict[str, np.ndarray], hint: str) -> None:
    message = refusal(save(tmp_path, **arrays))
    assert message.startswith(str(tmp_path / "art.npz"))
    assert hint in message


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (IMAGES[..., None], (16, 10, 1)),
        (np.stack([IMAGES] * 3, axis=-1), (16, 10, 3)),
        (np.stack([IMAGES] * 4, axis=1), (16, 10, 4)),
        (IMAGES / np.float32(255), (16, 10, 1)),
        (IMAGES > 127, (16, 10, 1)),
        ((IMAGES > 127).astype(np.uint8), (16, 10, 1)),
    ],
    ids=["one channel", "colour", "channels first", "floats", "booleans", "zeros and ones"],
)
def test_images_come_in_many_forms(tmp_path: Path, images: np.ndarray, shape: tuple[int, int, int]) -> None:
    dataset = ImageDataset(save(tmp_path, imgs=images, y=np.arange(12) % 2))
    assert dataset.image_shape == shape
    read = dataset.batch(np.arange(12)).images
    grey = IMAGES if images.dtype.kind == "f" or images.max() > 1 else np.where(IMAGES > 127, 255, 0)
    if shape[2] == 4:  # the same in each channel, so that what is transparent is 0
        assert np.array_equal(read[..., 0], grey)
    else:
        assert all(np.array_equal(read[..., channel], grey) for channel in range(shape[2]))
