"""Fidelity between grid values: what is decoded half-way between two classes, against the true image there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.metrics.context import CHUNK, EvaluationContext, labels_of
from training.metrics.decoding import iou
from training.metrics.outputs import shared

ROWS = 2_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``fidelity.NAME``: IoU where one attribute that has an order lies a random fraction past its class.

    Of at most ``ROWS`` rows; nothing if the source knows no true images there, or the model other attributes.
    """
    dataset, autoencoder = context.dataset, context.autoencoder
    attributes = dataset.attributes
    same = len(shared(autoencoder, attributes)) == len(autoencoder.codebook.attributes) == len(attributes)
    rows = context.rows[:ROWS]
    if not same or any(a.kind == "continuous" for a in attributes):
        return
    classes, complete = labels_of(dataset, rows, list(attributes))
    classes = classes[complete]
    if dataset.render(classes[:1].astype(np.float64)) is None:
        return
    draw = np.random.default_rng(context.seed)
    for index, attribute in enumerate(attributes):
        if attribute.kind == "nominal":
            continue
        positions = classes.astype(np.float64)
        last = attribute.classes if attribute.kind == "circular" else attribute.size - 1
        positions[:, index] = np.minimum(positions[:, index], last - 1) + draw.random(len(positions))
        parts = [_iou(context, attributes, positions[i : i + CHUNK]) for i in range(0, len(positions), CHUNK)]
        yield f"fidelity.{attribute.name}", np.concatenate(parts)


def _iou(context: EvaluationContext, attributes: Attributes, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    truth = context.dataset.render(positions)
    assert truth is not None
    drawn = context.autoencoder.decode(context.autoencoder.codebook.place(attributes.weights_at(positions)))
    return iou(truth.reshape(len(truth), -1) / np.float32(255), drawn.reshape(len(drawn), -1))
