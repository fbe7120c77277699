"""Images between grid values, for training: where a source can draw them, their truth is known."""

from __future__ import annotations

import numpy as np

from training.data.dataset import Batch, Dataset


def between(dataset: Dataset, batch: Batch, share: float, draw: np.random.Generator) -> Batch:
    """The batch with about a ``share`` of its rows moved off the grid, each attribute by at most half a class.

    So every row stays nearest to its own combination, and held-out ones are left alone. A nominal attribute stays as it
    is. Rows whose labels are not all known are not moved, and no row of a source that can't draw what lies between.
    """
    attributes = dataset.attributes
    moved = np.flatnonzero(batch.known.all(axis=1) & (draw.random(len(batch.known)) < share))
    if not len(moved) or any(attribute.kind == "continuous" for attribute in attributes):
        return batch
    classes = [batch.targets[moved, attributes.columns(each.name)].argmax(axis=1) for each in attributes]
    positions = np.stack(classes, axis=1).astype(np.float64)
    for index, attribute in enumerate(attributes):
        if attribute.kind != "nominal":
            positions[:, index] += draw.uniform(-0.5, 0.5, len(moved))
        if attribute.kind == "ordinal":
            positions[:, index] = positions[:, index].clip(0, attribute.size - 1)
    drawn = dataset.render(positions)
    if drawn is None:
        return batch
    images, targets = batch.images.copy(), batch.targets.copy()
    images[moved] = drawn
    targets[moved] = attributes.weights_at(positions)
    return Batch(images, targets, batch.known)
