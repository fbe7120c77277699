"""A trained model as numpy callables: what metrics and pictures work on, be it a run or a bundle. numpy only."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from training.attributes import Attributes

Float32 = NDArray[np.float32]


class Encoded(NamedTuple):
    """What an encoder says of a batch."""

    z: Float32
    """[B, D]."""
    weights: Float32
    """[B, sum K]."""


class Codec(Protocol):
    """Both directions of a model, deterministic and batched."""

    @property
    def attributes(self) -> Attributes:
        """The model's vocabulary."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C]."""

    def encode(self, images: NDArray[np.uint8]) -> Encoded:
        """z and weights of images [B, H, W, C]."""

    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""

    def place(self, weights: NDArray[Any]) -> Float32:
        """z [B, D] of weights [B, sum K]."""


def to_uint8(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images in 0..1 as 0..255."""
    rounded: NDArray[np.uint8] = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return rounded
