"""How close the image decoded from the true attributes is to the true image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import reconstruction_error
from training.metrics.outputs import Outputs
from training.metrics.reconstruction import cross_entropy

THRESHOLD = 0.5


def compute(outputs: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    """``decode.iou`` and ``decode.exact`` (every pixel on the right side of the threshold), and ``decode.error``, the
    mean absolute difference of pixel values in 0..1; ``decode.bce``, their cross-entropy in nats per image; only where
    all attributes of the model are labelled.
    """
    complete = outputs.complete
    if not complete.any():
        return
    count = len(outputs.decoded)
    truth = outputs.images.reshape(count, -1) / np.float32(255)
    decoded = outputs.decoded.reshape(count, -1)
    yield "decode.iou", np.where(complete, iou(truth, decoded), np.nan)
    exact = ((truth > THRESHOLD) == (decoded > THRESHOLD)).all(axis=1)
    yield "decode.exact", np.where(complete, exact, np.nan)
    yield "decode.error", np.where(complete, reconstruction_error(truth, decoded), np.nan)
    yield "decode.bce", np.where(complete, cross_entropy(truth, decoded), np.nan)


def iou(truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union [B] of what exceeds the threshold in images [B, P] in 0..1; 1 where nothing does."""
    a, b = truth > THRESHOLD, guess > THRESHOLD
    union = (a | b).sum(axis=1)
    return np.where(union > 0, (a & b).sum(axis=1) / np.maximum(union, 1), 1.0)
