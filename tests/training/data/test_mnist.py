"""idx files: the published ones, and small ones made here."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data import open_source
from training.data.mnist import PARTS, PUBLISHED, IdxSource
from training.data.source import DataError


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight training and four test images, labels 0 to 3, gzipped but for the first file."""
    draw = np.random.default_rng(0)
    for part, count in zip(PARTS, (8, 8, 4, 4), strict=True):
        shape = (count, 28, 30) if "images" in part else (count,)
        content = idx(draw.integers(0, 256 if "images" in part else 4, shape, np.uint8))
        (tmp_path / (part if part == PARTS[0] else f"{part}.gz")).write_bytes(
            content if part == PARTS[0] else gzip.compress(content)
        )
    np.save(tmp_path / "ignored.npy", np.zeros(1))
    return tmp_path


def test_published_mnist_has_its_published_counts(mnist: Path) -> None:
    """Of the data set's page and paper: 60,000 and 10,000 images; the first digit is a 5; counts per class."""
    source = open_source(str(mnist))
    assert len(source) == 70_000
    assert source.held_out.sum() == 10_000
    assert not source.held_out[:60_000].any()
    (digit,) = source.attributes
    assert (digit.name, digit.labels) == ("digit", tuple("0123456789"))
    batch = source.batch(np.arange(70_000))
    classes = batch.targets.argmax(axis=1)
    assert classes[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(classes[:60_000]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(classes[60_000:]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert batch.images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=1e-4)  # the mean that everyone subtracts


def test_other_idx_files_have_numbered_labels(folder: Path) -> None:
    source = open_source(str(folder))
    assert isinstance(source, IdxSource)
    assert source.image_shape == (28, 30, 1)
    assert [attribute.name for attribute in source.attributes] == ["label"]
    assert source.attributes[0].labels == ("0", "1", "2", "3")
    assert source.held_out.tolist() == [False] * 8 + [True] * 4
    plain = (folder / PARTS[0]).read_bytes()[16:]
    assert source.batch(np.arange(8)).images.tobytes() == plain
    assert source.render(np.zeros((1, 1))) is None


def test_content_is_that_of_images_and_labels(folder: Path) -> None:
    before = IdxSource(folder).content
    data = bytearray((folder / PARTS[0]).read_bytes())
    data[-1] ^= 1
    (folder / PARTS[0]).write_bytes(bytes(data))
    assert IdxSource(folder).content != before


@pytest.mark.parametrize(
    ("part", "data", "message"),
    [
        (1, None, r"has no train-labels-idx1-ubyte"),
        (2, b"no gzip", r"t10k-images-idx3-ubyte.gz: damaged, or no gzip file"),
        (0, b"PK\x03\x04", r"begins with 504b0304, not 00000803"),
        (0, idx(np.zeros((8, 28, 30), np.uint8))[:-1], r"6719 bytes for 8 x 28 x 30 values"),
        (0, idx(np.zeros((7, 28, 30), np.uint8)), r"train-labels-idx1-ubyte.gz: 8 labels for 7 images"),
        (0, idx(np.zeros((8, 28, 29), np.uint8)), r"images of \(28, 30\), but train-images"),
        (0, b"", r"begins with "),
    ],
)
def test_wrong_files_are_refused_by_name(folder: Path, part: int, data: bytes | None, message: str) -> None:
    file = next(each for each in (folder / f"{PARTS[part]}.gz", folder / PARTS[part]) if each.exists())
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(DataError, match=message):
        IdxSource(folder)


def test_fashion_mnist_has_ten_kinds_of_clothing() -> None:
    clothing = PUBLISHED["fashion-mnist"].attribute
    assert clothing.labels[0] == "t-shirt"
    assert clothing.labels[9] == "boot"
    assert clothing.size == 10
