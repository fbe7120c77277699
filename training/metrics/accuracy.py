"""Accuracy of discrete attributes, and the absolute error of continuous ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.predictions import Predictions


def compute(predictions: Predictions) -> Iterator[tuple[str, NDArray[Any]]]:
    """Per row [B]: ``accuracy.NAME``, ``accuracy.all`` and ``error.NAME``.

    * ``accuracy.NAME``: the most probable class is the labelled one.
    * ``accuracy.NAME.merged``: the same, but an alias of a circular attribute counts as the class that it repeats.
    * ``accuracy.all``: the classes of all labelled discrete attributes are right.
    * ``error.NAME``: absolute error of a continuous attribute, as a share of its range.
    """
    all_right = np.ones(len(predictions.images), np.bool_)
    any_known = np.zeros(len(predictions.images), np.bool_)
    for attribute in predictions.attributes:
        target, weights = predictions.targets[attribute.name], predictions.weights[attribute.name]  # [B, K]
        known = predictions.known[attribute.name]
        if attribute.kind == "continuous":
            low, high = attribute.bounds
            error = np.abs(attribute.read(weights).position - target[:, 0]) / (high - low)
            yield f"error.{attribute.name}", np.where(known, error, np.nan)
            continue
        right = weights.argmax(axis=1) == target.argmax(axis=1)
        yield f"accuracy.{attribute.name}", np.where(known, right, np.nan)
        if attribute.classes < attribute.size:
            merged = attribute.read(weights).index == attribute.fold(target).argmax(axis=1)
            yield f"accuracy.{attribute.name}.merged", np.where(known, merged, np.nan)
        all_right &= right | ~known
        any_known |= known
    if any(attribute.kind != "continuous" for attribute in predictions.attributes):
        yield "accuracy.all", np.where(any_known, all_right, np.nan)
