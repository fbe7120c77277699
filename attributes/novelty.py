"""How unlike what a model was trained on an image is: how much of it is lost on the way there and back. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unlikeness(images: NDArray[Any], reconstructions: NDArray[Any]) -> NDArray[np.float64]:
    """Mean absolute difference [B] of pixel values between images [B, ...] in 0..1 and what decodes from their z."""
    difference = np.abs(images - reconstructions)
    means: NDArray[np.float64] = difference.reshape(len(images), -1).mean(axis=1, dtype=np.float64)
    return means
