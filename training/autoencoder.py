"""A trained model as numpy callables: what metrics and pictures work on, be it a run or a bundle. numpy only."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from attributes import Codebook, Float32


class Encoded(NamedTuple):
    """What an encoder says of a batch."""

    z: Float32
    """[B, D]."""
    weights: Float32
    """[B, sum K]."""
    mean: Float32
    """[B, L] of the posterior; in most systems z is the mean, and L is D."""
    logvar: Float32
    """[B, L]."""


class Autoencoder(Protocol):
    """Both directions of a model, deterministic and batched."""

    @property
    def codebook(self) -> Codebook:
        """The model's vocabulary, ``codebook.attributes``, and where its weights sit in latent space."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C]."""

    @property
    def unfamiliar(self) -> float | None:
        """The unlikeness beyond which an image is unlike what the model was trained on; None where it isn't known."""

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        """What the encoder says of images [B, H, W, C].

        ``given``: weights [B, sum K] whose ``codebook.conditions`` are told to the encoder; else it infers them.
        """

    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""


def to_uint8(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images in 0..1 as 0..255."""
    rounded: NDArray[np.uint8] = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return rounded
