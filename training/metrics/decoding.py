"""Decoding: the image decoded from the true attributes, compared with the true image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import reconstruction_error
from training.metrics.predictions import Predictions
from training.metrics.reconstruction import cross_entropy

THRESHOLD = 0.5


def compute(predictions: Predictions) -> Iterator[tuple[str, NDArray[Any]]]:
    """Per row [B] where all attributes of the model are labelled:

    * ``decode.iou``: intersection over union of the binarised images.
    * ``decode.exact``: every pixel is on the right side of the threshold.
    * ``decode.error``: mean absolute difference of pixel values in 0..1.
    * ``decode.bce``: binary cross-entropy in nats per image.
    """
    complete = predictions.complete
    if not complete.any():
        return
    count = len(predictions.decoded)
    truth = predictions.images.reshape(count, -1) / np.float32(255)  # [B, H * W * C]
    decoded = predictions.decoded.reshape(count, -1)
    yield "decode.iou", np.where(complete, iou(truth, decoded), np.nan)
    exact = ((truth > THRESHOLD) == (decoded > THRESHOLD)).all(axis=1)
    yield "decode.exact", np.where(complete, exact, np.nan)
    yield "decode.error", np.where(complete, reconstruction_error(truth, decoded), np.nan)
    yield "decode.bce", np.where(complete, cross_entropy(truth, decoded), np.nan)


def iou(truth: NDArray[Any], decoded: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union [B] of the pixels above the threshold in images [B, P] in 0..1; 1 if there are none."""
    a, b = truth > THRESHOLD, decoded > THRESHOLD
    union = (a | b).sum(axis=1)
    return np.where(union > 0, (a & b).sum(axis=1) / np.maximum(union, 1), 1.0)
