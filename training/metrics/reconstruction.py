"""How well an image survives encoding and decoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.outputs import Outputs

EPSILON = np.float32(1e-7)


def compute(outputs: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    """``reconstruction.bce``: binary cross-entropy of decode(encode(x).z) with x, nats per image (summed);
    ``reconstruction.squares``: squared differences of pixel values in 0..1, summed over an image.
    """
    count = len(outputs.images)
    truth = outputs.images.reshape(count, -1) / np.float32(255)
    guess = outputs.reconstructed.reshape(count, -1)
    yield "reconstruction.bce", cross_entropy(truth, guess)
    yield "reconstruction.squares", np.square(truth - guess).sum(axis=1, dtype=np.float64)


def cross_entropy(truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.float64]:
    """Binary cross-entropy of pixels [B, P] in 0..1, summed over pixels: nats per image [B]."""
    guess = np.clip(guess, EPSILON, 1 - EPSILON)
    bce = -(truth * np.log(guess) + (1 - truth) * np.log1p(-guess))
    total: NDArray[np.float64] = bce.sum(axis=1, dtype=np.float64)
    return total
