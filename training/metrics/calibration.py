"""Whether a confidence of p is right p of the time (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.context import EvaluationContext, labels_of
from training.metrics.outputs import shared

BINS = 15


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``calibration.NAME``: expected calibration error of a discrete attribute, aliases counted as the classes they
    stand for, over the rows whose discrete attributes are all labelled.
    """
    both = [
        attribute
        for attribute in shared(context.autoencoder, context.dataset.attributes)
        if attribute.kind != "continuous"
    ]
    if not both:
        return
    classes, complete = labels_of(context.dataset, context.rows, both)
    if not complete.any():
        return
    vocabulary = context.autoencoder.codebook.attributes
    for attribute, target in zip(both, classes[complete].T, strict=True):
        reading = attribute.read(context.encoded.weights[complete][:, vocabulary.columns(attribute.name)])
        right = reading.index == target % attribute.classes
        yield f"calibration.{attribute.name}", expected_calibration_error(reading.confidence, right)


def expected_calibration_error(confidence: NDArray[Any], right: NDArray[np.bool_]) -> float:
    """Mean over images [N] of |accuracy - mean confidence| in the image's bin, of ``BINS`` equal bins of (0, 1]."""
    place = np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)
    gap = np.bincount(place, right - confidence.astype(np.float64), BINS)
    return float(np.abs(gap).sum() / len(confidence))
