"""How unlike the training data an image is: the more of it is lost in encoding and decoding. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The share of an image's variance that its reconstruction must explain, where a blank image explains none.
MIN_EXPLAINED = 0.1
# The standard deviation of an image, below which there is nothing to see: one of 255 grey levels.
MIN_CONTRAST = 1 / 255


def reconstruction_error(images: NDArray[Any], reconstructions: NDArray[Any]) -> NDArray[np.float64]:
    """Mean absolute difference [B] between images [B, ...] in 0..1 and their reconstructions [B, ...]."""
    difference = np.abs(images - reconstructions)
    means: NDArray[np.float64] = difference.reshape(len(images), -1).mean(axis=1, dtype=np.float64)
    return means


def is_unfamiliar(images: NDArray[Any], reconstructions: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Which images [B, C, H, W] in 0..1 are unlike the training data [B], by their reconstructions [B, C, H, W].

    Those whose reconstruction error exceeds ``threshold``, and those that are blank, or hardly more to the model: the
    reconstruction explains less than ``MIN_EXPLAINED`` of the variance over the pixels, or their contrast is less than
    ``MIN_CONTRAST``. The error alone can't tell: that of a black image and its black reconstruction is small.
    """
    count, channels = images.shape[:2]
    pixels = images.reshape(count, -1)  # [B, C * H * W]
    lost = pixels - reconstructions.reshape(count, -1)
    size = pixels.shape[1]
    unexplained, power = np.vecdot(lost, lost), np.vecdot(pixels, pixels)  # sums of squares
    # About the mean of each channel, as a blank image may have a colour.
    sums = np.add.reduce(pixels.reshape(count, channels, -1), axis=2)
    variance = power - np.vecdot(sums, sums) * (channels / size)
    error = np.add.reduce(np.abs(lost, out=lost), axis=1)
    blank = (unexplained > (1 - MIN_EXPLAINED) * variance) | (variance < MIN_CONTRAST**2 * size)
    unlike: NDArray[np.bool_] = (error > threshold * size) | blank
    return unlike
