"""dSprites: 737,280 images of three shapes under four transformations, rendered here or read from the original file.

The original: Matthey et al. 2017, https://github.com/google-deepmind/dsprites-dataset, Apache-2.0.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from attributes import Attribute, Attributes
from training.data.dataset import Batch, DataError, Rows, lowest_tenth
from training.data.download import download
from training.data.dsprites_renderer import SIDE, render
from training.data.reading import AS_FOUND

ATTRIBUTES = Attributes(
    [
        Attribute(name="shape", kind="nominal", size=3, labels=("square", "ellipse", "heart"), default="square"),
        Attribute(name="scale", kind="ordinal", size=6, range=(0.5, 1.0), default=5),
        Attribute(
            name="orientation", kind="circular", size=40, period=39, unit="radians", range=(0.0, 2 * math.pi), default=0
        ),
        Attribute(name="pos_x", kind="ordinal", size=32, range=(0.0, 1.0), default=16),
        Attribute(name="pos_y", kind="ordinal", size=32, range=(0.0, 1.0), default=16),
    ]
)
SIZES = tuple(attribute.size for attribute in ATTRIBUTES)
COUNT = math.prod(SIZES)

# Bayes accuracy over all images, all equally likely: some combinations have the same raster by chance.
CEILINGS = {
    "shape": 1.0,
    "scale": 1.0,
    "orientation": 0.9707,
    "orientation.merged": 0.9957,
    "pos_x": 1.0,
    "pos_y": 1.0,
    "all": 0.9707,
}

URL = "https://github.com/google-deepmind/dsprites-dataset/raw/master/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
MD5 = "7da33b31b13a06f4b04a70402ce90c2e"


def classes_of(rows: Rows) -> NDArray[np.intp]:
    """Class of each attribute [B, 5] of rows of the whole data set."""
    return np.stack(np.unravel_index(rows, SIZES), axis=1)


def canonical_keys(classes: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """One key [B] per combination: its row, with orientation 39 counted as 0, as both are the same angle."""
    folded = [classes[:, i] % attribute.classes for i, attribute in enumerate(ATTRIBUTES)]
    return np.ravel_multi_index(folded, SIZES).astype(np.uint64)


def _batch(images: NDArray[np.uint8], classes: NDArray[np.integer[Any]]) -> Batch:
    """A batch of images [B, 64, 64] of 0 and 1 with classes [B, 5]."""
    targets = np.zeros((len(classes), ATTRIBUTES.total), np.float32)
    for i, attribute in enumerate(ATTRIBUTES):
        targets[np.arange(len(classes)), ATTRIBUTES.columns(attribute.name).start + classes[:, i]] = 1
    return Batch(images[..., None] * np.uint8(255), targets, np.ones(classes.shape, np.bool_))


class _DSprites:
    """What rendered dSprites and a file of them have in common."""

    attributes = ATTRIBUTES
    image_shape = (SIDE, SIDE, 1)
    ceilings: Mapping[str, float] = CEILINGS
    reading = AS_FOUND
    classes: NDArray[np.integer[Any]]
    """[N, 5] class of each attribute."""

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def held_out(self) -> NDArray[np.bool_]:
        """Which rows [N] show one of the held-out combinations, a tenth of all."""
        return lowest_tenth(canonical_keys(self.classes))

    @property
    def held_out_sets(self) -> Mapping[str, NDArray[np.bool_]]:
        """All of them as one set."""
        return {"held out": self.held_out}

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """All rows are labelled: [N, 5]."""
        return np.ones(self.classes.shape, np.bool_)

    def render(self, positions: NDArray[Any]) -> NDArray[np.uint8]:
        """Images [B, 64, 64, 1] at positions [B, 5], fractional ones too."""
        return render(*positions.T)[..., None] * np.uint8(255)


class RenderedDSprites(_DSprites):
    """All 737,280 combinations, rendered when a batch is drawn: this takes no file and no memory.

    Rows are split by combination. As 2,998 rasters are the same by chance, 0.75 % of the held-out rows show an image
    that another combination shows in training.
    """

    @property
    def content(self) -> str:
        """The same for all: there is only one such dataset."""
        return "rendered"

    def __init__(self) -> None:
        self.classes = classes_of(np.arange(COUNT))

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B]."""
        classes = self.classes[rows]
        return _batch(render(*classes.T), classes)


class DSpritesFile(_DSprites):
    """The original npz, or any npz with some of its rows (``imgs``, ``latents_classes``), kept bit-packed.

    Raises DataError if the file is something else, or if one of 100 of its rows differs from the rendered image by more
    pixels than original images do.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise DataError(f"{file}: there is no such file")
        try:
            with np.load(file, allow_pickle=False) as arrays:
                images, classes = arrays["imgs"], np.asarray(arrays["latents_classes"], np.intp)
        except Exception as error:  # numpy, zipfile and zlib raise many kinds of exceptions for damaged files
            raise DataError(f"{file}: not a dSprites npz with imgs and latents_classes ({error})") from error
        if classes.ndim != 2 or images.shape != (len(classes), SIDE, SIDE) or images.dtype != np.uint8:
            raise DataError(f"{file}: imgs must be uint8 [N, 64, 64] and latents_classes [N, 5 or 6]")
        classes = classes[:, -len(SIZES) :]  # the original has a colour column before them
        if not len(classes) or classes.shape[1] != len(SIZES) or (classes < 0).any() or (classes >= SIZES).any():
            raise DataError(f"{file}: latents_classes lie outside {SIZES}")
        if images.max() > 1:
            raise DataError(f"{file}: imgs must hold 0 and 1")
        self.classes = classes
        self._packed = np.packbits(images.reshape(len(images), -1), axis=1)
        sample = np.linspace(0, len(classes) - 1, 100).astype(np.intp)
        different = (render(*classes[sample].T) != images[sample]).sum(axis=(1, 2))
        if different.max() > 4:
            raise DataError(f"{file}: row {sample[different.argmax()]} is not the image that its classes describe")

    @property
    def content(self) -> str:
        """The SHA-256 of images and classes."""
        return hashlib.sha256(self._packed.tobytes() + self.classes.tobytes()).hexdigest()

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the file's rows [B]."""
        images = np.unpackbits(self._packed[rows], axis=1).reshape(-1, SIDE, SIDE)
        return _batch(images, self.classes[rows])


def is_layout(file: Path) -> bool:
    """Whether a file has images [N, 64, 64] and five factors within the sizes of dSprites' ones."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if not {"imgs", "latents_classes"} <= set(arrays.files):
                return False
            classes = arrays["latents_classes"]
        with zipfile.ZipFile(file) as archive, archive.open("imgs.npy") as member:
            npy.read_magic(member)
            shape, _, _ = npy.read_array_header_1_0(member)
    except Exception:  # numpy, zipfile and zlib raise many kinds of exceptions for what is no npz
        return False
    fits = classes.ndim == 2 and classes.shape[1] in (len(SIZES), len(SIZES) + 1) and shape[1:] == (SIDE, SIDE)
    return bool(fits and (classes[:, -len(SIZES) :] < SIZES).all())


def original(folder: Path) -> DSpritesFile:
    """The original data set in ``folder``, downloaded if it isn't there.

    Raises DataError if it can't be downloaded, or if it is not complete.
    """
    file = DSpritesFile(download(folder, URL, MD5))
    if len(file) != COUNT:
        raise DataError(f"the original dSprites has {COUNT} rows, this file {len(file)}")
    return file
