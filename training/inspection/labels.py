"""What the labels of a dataset tell: classes, and where equal images contradict each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.chunks import chunks
from training.data.dataset import Dataset

CHUNK = 2**16
# Equal parts of a continuous attribute's range that stand for classes.
PARTS = 10


def positions(dataset: Dataset) -> NDArray[np.float64]:
    """The class, or the value, of each attribute [N, A]; NaN where it is not known."""
    columns = []
    for rows in chunks(np.arange(len(dataset)), CHUNK):
        batch = dataset.batch(rows)
        parts = [batch.targets[:, dataset.attributes.columns(each.name)] for each in dataset.attributes]
        values = [
            part[:, 0] if each.kind == "continuous" else part.argmax(axis=1) % each.classes
            for part, each in zip(parts, dataset.attributes, strict=True)
        ]
        columns.append(np.where(batch.known, np.stack(values, axis=1).astype(np.float64), np.nan))
    return np.concatenate(columns)


def class_count(attribute: Attribute) -> int:
    """The number of classes, or of parts of a range that stand for them."""
    return PARTS if attribute.kind == "continuous" else attribute.classes


def class_names(attribute: Attribute) -> list[str]:
    """The names of classes, or of parts of a range."""
    if attribute.kind == "nominal":
        return list(attribute.labels)
    if attribute.kind == "continuous":
        edges = np.linspace(*attribute.bounds, PARTS + 1)
        return [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    return [f"{float(attribute.in_unit(position)):.4g}" for position in range(attribute.classes)]


def classes(attribute: Attribute, column: NDArray[np.float64]) -> NDArray[np.intp]:
    """The class, or part of the range, of positions [N]; -1 where they are not known."""
    known = np.isfinite(column)
    values = np.where(known, column, 0)
    if attribute.kind == "continuous":
        low, high = attribute.bounds
        values = np.clip((values - low) / (high - low) * PARTS, 0, PARTS - 1)
    return np.where(known, values.astype(np.intp), -1)


def ceiling(classes: NDArray[np.intp], keys: NDArray[np.uint64]) -> float:
    """The share of labelled images whose class is the most frequent one among equal images: no model reads more.

    ``classes`` [N] are -1 where they are not known; equal images have equal ``keys`` [N].
    """
    known = classes >= 0
    if not known.any():
        return 1.0
    groups = np.unique(keys[known], return_inverse=True)[1]
    pairs, counts = np.unique(np.stack([groups, classes[known]]), axis=1, return_counts=True)
    most = np.zeros(groups.max() + 1, np.intp)
    np.maximum.at(most, pairs[0], counts)
    return float(most.sum() / known.sum())


def contradictions(positions: NDArray[np.float64], keys: NDArray[np.uint64]) -> int:
    """How many images are equal to another one whose known labels differ; ``positions`` [N, A], ``keys`` [N]."""
    _, groups, counts = np.unique(keys, return_inverse=True, return_counts=True)
    differ = np.zeros(len(counts), np.bool_)
    for column in positions.T:
        known = np.isfinite(column)
        low, high = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
        np.minimum.at(low, groups[known], column[known])
        np.maximum.at(high, groups[known], column[known])
        differ |= high > low
    return int(differ[groups].sum())
