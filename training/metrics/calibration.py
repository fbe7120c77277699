"""Expected calibration error (Guo et al. 2017): how much confidence and accuracy differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.context import EvaluationContext, target_classes
from training.metrics.predictions import shared_attributes

BINS = 15


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``calibration.NAME`` of each discrete attribute, over the rows where all of them are labelled.

    Aliases count as the classes that they repeat.
    """
    shared = shared_attributes(context.autoencoder, context.dataset.attributes)
    discrete = [attribute for attribute in shared if attribute.kind != "continuous"]
    if not discrete:
        return
    classes, complete = target_classes(context.dataset, context.rows, discrete)
    if not complete.any():
        return
    vocabulary = context.autoencoder.codebook.attributes
    for attribute, target in zip(discrete, classes[complete].T, strict=True):
        reading = attribute.read(context.encoded.weights[complete][:, vocabulary.columns(attribute.name)])
        right = reading.index == target % attribute.classes
        yield f"calibration.{attribute.name}", expected_calibration_error(reading.confidence, right)


def expected_calibration_error(confidence: NDArray[Any], right: NDArray[np.bool_]) -> float:
    """Mean over images [N] of |accuracy - mean confidence| of the image's bin, of ``BINS`` equal bins of (0, 1]."""
    index = np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)
    gap = np.bincount(index, right - confidence.astype(np.float64), BINS)  # [BINS], sums over images
    return float(np.abs(gap).sum() / len(confidence))
