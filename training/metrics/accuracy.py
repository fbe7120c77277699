"""How often the most probable class is the labelled one; for continuous attributes, how far the value is off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.outputs import Outputs


def compute(outputs: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    """``accuracy.NAME`` over all classes; for a circular attribute with aliases also ``accuracy.NAME.merged``, where
    an alias counts as the class it stands for; ``accuracy.all``: all discrete attributes right at once, over all
    classes; ``error.NAME``: absolute error of a continuous attribute, as a share of its range.
    """
    everything, labelled = np.ones(len(outputs.images), np.bool_), np.zeros(len(outputs.images), np.bool_)
    for attribute in outputs.shared:
        target, weights = outputs.targets[attribute.name], outputs.said[attribute.name]
        known = outputs.known[attribute.name]
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
        everything &= right | ~known
        labelled |= known
    if any(attribute.kind != "continuous" for attribute in outputs.shared):
        yield "accuracy.all", np.where(labelled, everything, np.nan)
