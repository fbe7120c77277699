"""idx files: the published ones, and small ones made here."""

import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.data.conftest import Site
from training import data
from training.data import open_dataset
from training.data.dataset import DataError
from training.data.mnist import PARTS, PUBLISHED, IdxDataset


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
    dataset = open_dataset(str(mnist))
    assert len(dataset) == 70_000
    assert dataset.held_out.sum() == 10_000
    assert not dataset.held_out[:60_000].any()
    (digit,) = dataset.attributes
    assert (digit.name, digit.labels) == ("digit", tuple("0123456789"))
    batch = dataset.batch(np.arange(70_000))
    classes = batch.targets.argmax(axis=1)
    assert classes[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(classes[:60_000]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(classes[60_000:]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert batch.images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=1e-4)  # the mean that everyone subtracts


def test_other_idx_files_have_numbered_labels(folder: Path) -> None:
    dataset = open_dataset(str(folder))
    assert isinstance(dataset, IdxDataset)
    assert dataset.image_shape == (28, 30, 1)
    assert [attribute.name for attribute in dataset.attributes] == ["label"]
    assert dataset.attributes[0].labels == ("0", "1", "2", "3")
    assert dataset.held_out.tolist() == [False] * 8 + [True] * 4
    plain = (folder / PARTS[0]).read_bytes()[16:]
    assert dataset.batch(np.arange(8)).images.tobytes() == plain
    assert dataset.labelled.tolist() == [[True]] * 12
    assert open_dataset(str(folder)).render(np.zeros((1, 1))) is None


def test_content_is_that_of_images_and_labels(folder: Path) -> None:
    before = IdxDataset(folder).content
    data = bytearray((folder / PARTS[0]).read_bytes())
    data[-1] ^= 1
    (folder / PARTS[0]).write_bytes(bytes(data))
    assert IdxDataset(folder).content != before


def test_published_labels_are_known_unzipped_too(mnist: Path, tmp_path: Path) -> None:
    for part in PARTS:
        (tmp_path / part).write_bytes(gzip.decompress((mnist / f"{part}.gz").read_bytes()))
    plain, zipped = IdxDataset(tmp_path), IdxDataset(mnist)
    assert plain.attributes == zipped.attributes
    assert plain.content == zipped.content


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        (1, None, r"has no train-labels-idx1-ubyte, plain or as .gz; needs all of"),
        (0, None, r"has no train-images-idx3-ubyte"),
        (2, b"no gzip", r"t10k-images-idx3-ubyte.gz: can't be read, or is a damaged gzip file"),
        (2, gzip.compress(bytes(range(256)))[:-9], r"t10k-images-idx3-ubyte.gz: can't be read, or is a damaged"),
        (0, b"PK\x03\x04", r"begins with 504b0304, but unsigned bytes on 3 axes with 00000803"),
        (0, b"", r"begins with nothing, but"),
        (
            1,
            gzip.compress(struct.pack(">HBBIi", 0, 0x0C, 1, 1, 7)),
            r"begins with 00000c01, but .* 1 axes with 00000801",
        ),
        (0, struct.pack(">HBBI", 0, 8, 3, 8), r"0 bytes for 8 x 0 x 0 values"),
        (0, idx(np.zeros((0, 28, 30), np.uint8)), r"0 bytes for 0 x 28 x 30 values"),
        (0, idx(np.zeros((8, 28, 30), np.uint8))[:-1], r"6719 bytes for 8 x 28 x 30 values"),
        (0, idx(np.zeros((8, 28, 30), np.uint8)) + b"0", r"6721 bytes for 8 x 28 x 30 values"),
        (0, idx(np.zeros((7, 28, 30), np.uint8)), r"labels-idx1-ubyte.gz: holds 8 labels, but train-images.* 7 images"),
        (
            0,
            idx(np.zeros((8, 28, 29), np.uint8)),
            r"t10k-images.*: has images of 30 x 28 .*, but train-images.* of 29 x",
        ),
        (
            0,
            idx(np.zeros((8, 7, 30), np.uint8)),
            r"has images of 30 x 7 \(width x height\); each side must be 8 to 256",
        ),
    ],
    ids=[  # a gzip stream has the time of day in its head
        "no labels", "no images", "no gzip", "half a gzip", "a zip", "nothing", "32-bit numbers", "half a head",
        "no images in it", "a byte less", "a byte more", "fewer images than labels", "another width", "too low",
    ],
)  # fmt: skip
def test_wrong_files_are_refused_by_name(folder: Path, part: int, content: bytes | None, message: str) -> None:
    file = next(each for each in (folder / f"{PARTS[part]}.gz", folder / PARTS[part]) if each.exists())
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_dataset(str(folder))


def test_a_label_beyond_the_published_ones_is_refused(mnist: Path, folder: Path) -> None:
    images = idx(np.zeros((60_000, 28, 30), np.uint8))
    (folder / PARTS[0]).write_bytes(images)
    (folder / f"{PARTS[1]}.gz").write_bytes((mnist / f"{PARTS[1]}.gz").read_bytes())
    (folder / f"{PARTS[3]}.gz").write_bytes(gzip.compress(idx(np.array([0, 9, 10, 1], np.uint8))))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz: holds a label 10, but digit ends with 9"):
        IdxDataset(folder)


def test_fashion_mnist_has_its_published_kinds_of_clothing_in_order() -> None:
    """The table of labels in the data set's README, where 0 is T-shirt/top and 9 is ankle boot."""
    clothing = PUBLISHED["fashion-mnist"].attribute
    order = "t-shirt trouser pullover dress coat sandal shirt sneaker bag boot"
    assert (clothing.name, clothing.kind, " ".join(clothing.labels)) == ("clothing", "nominal", order)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_published_data_set_is_downloaded_once(
    name: str, folder: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"{PARTS[0]}.gz").write_bytes(gzip.compress((folder / PARTS[0]).read_bytes()))
    files = [(folder / f"{part}.gz").read_bytes() for part in PARTS]
    for part, content in zip(PARTS, files, strict=True):
        (site.folder / f"{part}.gz").write_bytes(content)
    first, second, third, fourth = (hashlib.md5(content).hexdigest() for content in files)
    labels = hashlib.md5(gzip.decompress(files[1])).hexdigest()
    served = replace(PUBLISHED[name], url=site.url, md5=(first, second, third, fourth), labels_md5=labels)
    monkeypatch.setitem(PUBLISHED, name, served)
    monkeypatch.setattr(data, "DOWNLOADS", tmp_path / "downloads")
    dataset = open_dataset(name)
    assert dataset.attributes[0] == PUBLISHED[name].attribute
    for part in PARTS:
        (site.folder / f"{part}.gz").unlink()
    assert open_dataset(name).content == dataset.content == IdxDataset(tmp_path / "downloads" / name).content
