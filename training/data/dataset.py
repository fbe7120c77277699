"""What every dataset has, and how its rows are split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.data.reading import Reading

Rows = NDArray[np.integer[Any]]

# The share of rows that are never trained on.
HELD_OUT = 0.1


class DataError(ValueError):
    """Data that can't be used; the message names the file and, where there is one, the row."""


class Batch(NamedTuple):
    """Some rows of a dataset."""

    images: NDArray[np.uint8]
    """[B, H, W, C], 0..255."""
    targets: NDArray[np.float32]
    """[B, sum K] weights of all classes, aliases included, or values of continuous attributes; 0 where unlabelled."""
    known: NDArray[np.bool_]
    """[B, A]: which attributes are labelled."""


class Dataset(Protocol):
    """Images with attribute labels, read by row. A row always has the same bytes."""

    @property
    def attributes(self) -> Attributes:
        """The attributes that the images are labelled with."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C] of every image."""

    @property
    def ceilings(self) -> Mapping[str, float]:
        """The best accuracy that is possible from the image alone, by score name (``orientation.merged``)."""

    @property
    def content(self) -> str:
        """A digest of all images and labels: two datasets with the same digest have the same batches."""

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Which rows [N] are never trained on, the same in every run."""

    @property
    def held_out_sets(self) -> Mapping[str, NDArray[np.bool_]]:
        """The held-out rows [N] by what they tell, in words; scores are given for each set."""

    @property
    def reading(self) -> Reading:
        """How people's own images were read, with all that was chosen; ``AS_FOUND`` for published data sets."""

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which attributes of which rows are labelled [N, A]."""

    def __len__(self) -> int: ...

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B]."""

    def render(self, positions: NDArray[Any]) -> NDArray[np.uint8] | None:
        """True images [B, H, W, C] of positions [B, A] on the attributes' axes, between classes too.

        None if only the images of the rows are known.
        """


def lowest_tenth(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys [N] are held out: the tenth with the lowest hashes. Rows with the same image must share a key."""
    return splitmix64(keys) < np.uint64(HELD_OUT * 2**64)


def splitmix64(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A well-mixed 64-bit hash of each key (Steele, Lea and Flood 2014)."""
    state = keys + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
