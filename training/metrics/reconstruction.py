"""Reconstruction error: the image decoded from an image's own code, compared with the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.predictions import Predictions

EPSILON = np.float32(1e-7)  # keeps the logarithm finite


def compute(predictions: Predictions) -> Iterator[tuple[str, NDArray[Any]]]:
    """Per row [B]: ``reconstruction.bce`` and ``reconstruction.squares``.

    * ``reconstruction.bce``: binary cross-entropy of decode(encode(x).z) with x, nats per image (summed over pixels).
    * ``reconstruction.squares``: squared differences of pixel values in 0..1, summed over an image.
    """
    count = len(predictions.images)
    truth = predictions.images.reshape(count, -1) / np.float32(255)  # [B, H * W * C]
    reconstructed = predictions.reconstructed.reshape(count, -1)
    yield "reconstruction.bce", cross_entropy(truth, reconstructed)
    yield "reconstruction.squares", np.square(truth - reconstructed).sum(axis=1, dtype=np.float64)


def cross_entropy(truth: NDArray[Any], decoded: NDArray[Any]) -> NDArray[np.float64]:
    """Binary cross-entropy of pixels [B, P] in 0..1, summed over pixels: nats per image [B]."""
    decoded = np.clip(decoded, EPSILON, 1 - EPSILON)
    bce = -(truth * np.log(decoded) + (1 - truth) * np.log1p(-decoded))
    total: NDArray[np.float64] = bce.sum(axis=1, dtype=np.float64)
    return total
