"""How well an image survives encoding and decoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.outputs import Outputs

EPSILON = np.float32(1e-7)


def values(outputs: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    """``reconstruction.bce``: binary cross-entropy of decode(encode(x).z) with x, nats per image (summed)."""
    truth = outputs.batch.images / np.float32(255)
    guess = np.clip(outputs.reconstructed, EPSILON, 1 - EPSILON)
    bce = -(truth * np.log(guess) + (1 - truth) * np.log1p(-guess))
    yield "reconstruction.bce", bce.sum(axis=(1, 2, 3), dtype=np.float64)
