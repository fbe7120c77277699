"""How unlike the training data an image is: the more of it is lost in encoding and decoding. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def reconstruction_error(images: NDArray[Any], reconstructions: NDArray[Any]) -> NDArray[np.float64]:
    """Mean absolute difference [B] between images [B, ...] in 0..1 and their reconstructions [B, ...]."""
    difference = np.abs(images - reconstructions)
    means: NDArray[np.float64] = difference.reshape(len(images), -1).mean(axis=1, dtype=np.float64)
    return means
