"""Images between grid values: where a dataset can draw them, their true values are known."""

from __future__ import annotations

import numpy as np

from training.data.dataset import Batch, Dataset


def move_off_grid(dataset: Dataset, batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """The batch with about a ``share`` of its rows moved off the grid, each attribute by at most half a class.

    So every row stays nearest to its own combination, and no row becomes like a held-out one. Nominal attributes stay
    as they are. Rows with an unlabelled attribute are not moved. A dataset that can't draw such images, or that has a
    continuous attribute, keeps all of its rows.
    """
    attributes = dataset.attributes
    moved = np.flatnonzero(batch.known.all(axis=1) & (rng.random(len(batch.known)) < share))  # [M]
    if not len(moved) or any(attribute.kind == "continuous" for attribute in attributes):
        return batch
    classes = [batch.targets[moved, attributes.columns(each.name)].argmax(axis=1) for each in attributes]
    positions = np.stack(classes, axis=1).astype(np.float64)  # [M, A]
    for index, attribute in enumerate(attributes):
        if attribute.kind != "nominal":
            positions[:, index] += rng.uniform(-0.5, 0.5, len(moved))
        if attribute.kind == "ordinal":
            positions[:, index] = positions[:, index].clip(0, attribute.size - 1)
    drawn = dataset.render(positions)
    if drawn is None:
        return batch
    images, targets = batch.images.copy(), batch.targets.copy()
    images[moved] = drawn
    targets[moved] = attributes.weights_at(positions)
    return Batch(images, targets, batch.known)
