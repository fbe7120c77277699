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

from training.attributes import Attribute, Attributes
from training.data.download import download, md5_of
from training.data.source import Batch, DataError, Rows

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
UBYTE = 8


@dataclass(frozen=True)
class Published:
    """A data set that can be downloaded: where it is, the MD5 of each of its four gzipped files, what labels mean."""

    url: str
    md5: tuple[str, str, str, str]
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
        _nominal("clothing", CLOTHES),
    ),
}


class IdxSource:
    """The images of four idx files in a folder, training images first, then the test images, which are held out.

    What the labels mean is known of published files by their MD5; labels of others are an attribute ``label`` of
    '0', '1' and so on. Raises DataError that names the file, what was found in it and what is needed.
    """

    ceilings: Mapping[str, float] = MappingProxyType({})

    def __init__(self, folder: Path) -> None:
        files = [_find(folder, part) for part in PARTS]
        train, train_labels, test, test_labels = (_read_idx(file, 1 + 2 * ("images" in file.name)) for file in files)
        for images, labels, file in ((train, train_labels, files[1]), (test, test_labels, files[3])):
            if len(images) != len(labels):
                raise DataError(f"{file}: {len(labels)} labels for {len(images)} images")
        if train.shape[1:] != test.shape[1:]:
            raise DataError(f"{files[2]}: images of {test.shape[1:]}, but {files[0].name} has {train.shape[1:]}")
        self._images = np.concatenate([train, test])[..., None]
        self._classes = np.concatenate([train_labels, test_labels]).astype(np.intp)
        self._train = len(train)
        self.attributes = Attributes([_attribute(files, int(self._classes.max()) + 1)])
        if self._classes.max() >= self.attributes.total:
            raise DataError(f"{files[1]}: holds a label {self._classes.max()}, beyond {self.attributes.total - 1}")
        height, width = train.shape[1:]
        self.image_shape: tuple[int, int, int] = (height, width, 1)

    @property
    def content(self) -> str:
        """sha256 of images and labels."""
        return hashlib.sha256(self._images.tobytes() + self._classes.tobytes()).hexdigest()

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """The test images."""
        return np.arange(len(self)) >= self._train

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """All."""
        return np.ones((len(self), 1), np.bool_)

    def __len__(self) -> int:
        return len(self._images)

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B]."""
        targets = np.eye(self.attributes.total, dtype=np.float32)[self._classes[rows]]
        return Batch(self._images[rows], targets, np.ones((len(rows), 1), np.bool_))

    def render(self, positions: NDArray[Any]) -> None:
        """Nothing is known between the images."""


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds idx files."""
    return any((folder / f"{PARTS[0]}{end}").is_file() for end in ("", ".gz"))


def fetch(name: str, folder: Path) -> Path:
    """The published data set ``name`` in ``folder``, downloaded where it is missing."""
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
    """An array of unsigned bytes with so many axes."""
    try:
        data = file.read_bytes()
        data = gzip.decompress(data) if file.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: damaged, or no gzip file ({error})") from error
    if data[:2] != b"\0\0" or data[2:4] != bytes([UBYTE, axes]):
        raise DataError(f"{file}: begins with {data[:4].hex()}, not 0000{UBYTE:02x}{axes:02x}: no idx of {axes} axes")
    shape = tuple(int(size) for size in np.frombuffer(data[4 : 4 + 4 * axes].ljust(4 * axes, b"\0"), ">u4"))
    content = data[4 + 4 * axes :]
    if len(content) != math.prod(shape) or not content:
        raise DataError(f"{file}: {len(content)} bytes for {' x '.join(map(str, shape))} values")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _attribute(files: list[Path], classes: int) -> Attribute:
    digest = md5_of(files[1])
    for published in PUBLISHED.values():
        if digest == published.md5[1]:
            return published.attribute
    return _nominal("label", tuple(map(str, range(classes))))
