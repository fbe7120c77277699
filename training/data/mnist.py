"""MNIST and Fashion-MNIST, and any data set in the same four idx files: 28 x 28 grey images, ten classes.

MNIST (LeCun, Cortes and Burges 1998) and Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, MIT) come as images and labels
of training and test, plain or gzipped. The published test images are the held-out ones.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import MAX_SIDE, MIN_SIDE, Attribute, Attributes
from training.data.dataset import Batch, DataError, Rows
from training.data.download import download
from training.data.reading import AS_FOUND

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# The code of unsigned bytes in an idx file.
UBYTE = 8


@dataclass(frozen=True)
class Published:
    """A data set that can be downloaded."""

    url: str
    md5: tuple[str, str, str, str]
    """The MD5 of each of its four files, gzipped, in the order of ``PARTS``."""
    labels_md5: str
    """The MD5 of its training labels, unzipped: if it is the same, the labels mean ``attribute``."""
    attribute: Attribute


def _nominal(name: str, labels: tuple[str, ...]) -> Attribute:
    return Attribute(name=name, kind="nominal", size=len(labels), labels=labels, default=labels[0])


DIGITS = tuple("0123456789")
CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
PUBLISHED = {
    "mnist": Published(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        "a25bea736e30d166cdddb491f175f624",
        _nominal("digit", DIGITS),
    ),
    "fashion-mnist": Published(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        "9018921c3c673c538a1fc5bad174d6f9",
        _nominal("clothing", CLOTHES),
    ),
}


class IdxDataset:
    """The images of four idx files in a folder, training images first, then the test images, which are held out.

    If the training labels are published ones, gzipped or not, the attribute and its class names are known; else the
    attribute is ``label`` with classes '0', '1' and so on. Raises DataError that names the file, what was found and
    what is needed.
    """

    ceilings: Mapping[str, float] = MappingProxyType({})
    reading = AS_FOUND

    def __init__(self, folder: Path) -> None:
        files = [_find(folder, part) for part in PARTS]
        train, train_labels, test, test_labels = (_read_idx(file, 1 + 2 * ("images" in file.name)) for file in files)
        _check_counts(files[:2], train, train_labels)
        _check_counts(files[2:], test, test_labels)
        _, height, width = train.shape
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
            raise DataError(f"{files[0]}: has images of {_size(train)}; each side must be {MIN_SIDE} to {MAX_SIDE}")
        if test.shape[1:] != train.shape[1:]:
            raise DataError(f"{files[2]}: has images of {_size(test)}, but {files[0].name} of {_size(train)}")
        self._images = np.concatenate([train, test])[..., None]
        self._classes = np.concatenate([train_labels, test_labels]).astype(np.intp)
        self._train = len(train)
        attribute = _attribute(_unzipped(files[1]), int(self._classes.max()) + 1)
        if (last := test_labels.max()) >= attribute.size:
            raise DataError(f"{files[3]}: holds a label {last}, but {attribute.name} ends with {attribute.size - 1}")
        self.attributes = Attributes([attribute])
        self.image_shape: tuple[int, int, int] = (height, width, 1)

    @property
    def content(self) -> str:
        """The SHA-256 of images and labels."""
        return hashlib.sha256(self._images.tobytes() + self._classes.tobytes()).hexdigest()

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Which rows [N] are test images."""
        return np.arange(len(self)) >= self._train

    @property
    def held_out_sets(self) -> Mapping[str, NDArray[np.bool_]]:
        """All of them as one set."""
        return {"held out": self.held_out}

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """All rows are labelled: [N, 1]."""
        return np.ones((len(self), 1), np.bool_)

    def __len__(self) -> int:
        return len(self._images)

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B]."""
        targets = np.eye(self.attributes.total, dtype=np.float32)[self._classes[rows]]
        return Batch(self._images[rows], targets, np.ones((len(rows), 1), np.bool_))

    def render(self, positions: NDArray[Any]) -> None:
        """None: nothing is known between the images."""


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds any of the four idx files."""
    return any((folder / f"{part}{end}").is_file() for part in PARTS for end in ("", ".gz"))


def fetch(name: str, folder: Path) -> Path:
    """The folder of the published data set ``name``; files that are missing are downloaded into it."""
    published = PUBLISHED[name]
    for part, md5 in zip(PARTS, published.md5, strict=True):
        download(folder, f"{published.url}/{part}.gz", md5)
    return folder


def _find(folder: Path, part: str) -> Path:
    for file in (folder / f"{part}.gz", folder / part):
        if file.is_file():
            return file
    raise DataError(f"{folder}: has no {part}, plain or as .gz; needs all of {', '.join(PARTS)}")


def _read_idx(file: Path, axes: int) -> NDArray[np.uint8]:
    """An array of unsigned bytes with ``axes`` axes: magic number, sizes, values (LeCun's page of MNIST)."""
    data = _unzipped(file)
    magic, start = bytes([0, 0, UBYTE, axes]), 4 + 4 * axes
    if data[:4] != magic:
        raise DataError(
            f"{file}: begins with {data[:4].hex() or 'nothing'}, but unsigned bytes on {axes} axes with {magic.hex()}"
        )
    shape = tuple(int(size) for size in np.frombuffer(data[4:start].ljust(4 * axes, b"\0"), ">u4"))
    values = data[start:]
    if len(values) != math.prod(shape) or not values:
        raise DataError(f"{file}: {len(values)} bytes for {' x '.join(map(str, shape))} values")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _check_counts(files: list[Path], images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    if len(images) != len(labels):
        raise DataError(f"{files[1]}: holds {len(labels)} labels, but {files[0].name} {len(images)} images")


def _size(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[2]} x {images.shape[1]} (width x height)"


def _unzipped(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        return gzip.decompress(data) if file.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: can't be read, or is a damaged gzip file ({error})") from error


def _attribute(train_labels: bytes, classes: int) -> Attribute:
    digest = hashlib.md5(train_labels, usedforsecurity=False).hexdigest()
    for published in PUBLISHED.values():
        if digest == published.labels_md5:
            return published.attribute
    return _nominal("label", tuple(map(str, range(classes))))
