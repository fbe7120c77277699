"""A trained model as numpy functions: what metrics and pictures use, for a run and a bundle alike. numpy only."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from attributes import Codebook, Float32


class Encoded(NamedTuple):
    """The encoder's output for a batch."""

    z: Float32
    """[B, D]."""
    weights: Float32
    """[B, sum K]."""
    mean: Float32
    """[B, L] of the posterior. In most systems z is the mean, and L is D."""
    logvar: Float32
    """[B, L]."""


class Autoencoder(Protocol):
    """Both directions of a model, deterministic and batched."""

    @property
    def codebook(self) -> Codebook:
        """The map from attribute weights to z. ``codebook.attributes`` are the model's attributes."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C]."""

    @property
    def unfamiliar(self) -> float | None:
        """The reconstruction error beyond which an image is unlike the training data. None if it is not known."""

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        """Encode images [B, H, W, C].

        ``given`` holds weights [B, sum K]; those of ``codebook.conditions`` are given to the encoder. Without it the
        encoder infers them.
        """

    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""


def to_uint8(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images in 0..1, clipped to that range, as integers in 0..255."""
    rounded: NDArray[np.uint8] = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return rounded
