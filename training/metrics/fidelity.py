"""Fidelity between classes: the image decoded at a position between two classes, compared with the true image there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.metrics.context import CHUNK, EvaluationContext, target_classes
from training.metrics.decoding import iou
from training.metrics.predictions import shared_attributes

ROWS = 2_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``fidelity.NAME``: IoU [N] with one ordinal or circular attribute at a random fraction past the row's class.

    On at most ``ROWS`` rows. Nothing if the data set can't render such images, or if model and data have different
    attributes.
    """
    dataset, autoencoder = context.dataset, context.autoencoder
    attributes = dataset.attributes
    shared = shared_attributes(autoencoder, attributes)
    same = len(shared) == len(autoencoder.codebook.attributes) == len(attributes)
    if not same or any(attribute.kind == "continuous" for attribute in attributes):
        return
    classes, complete = target_classes(dataset, context.rows[:ROWS], list(attributes))
    classes = classes[complete]
    if dataset.render(classes[:1].astype(np.float64)) is None:
        return
    rng = np.random.default_rng(context.seed)
    for index, attribute in enumerate(attributes):
        if attribute.kind == "nominal":
            continue
        positions = classes.astype(np.float64)  # [N, A]
        last = attribute.classes if attribute.kind == "circular" else attribute.size - 1
        positions[:, index] = np.minimum(positions[:, index], last - 1) + rng.random(len(positions))
        parts = [_iou(context, attributes, positions[i : i + CHUNK]) for i in range(0, len(positions), CHUNK)]
        yield f"fidelity.{attribute.name}", np.concatenate(parts)


def _iou(context: EvaluationContext, attributes: Attributes, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU [B] of true and decoded images at positions [B, A]."""
    truth = context.dataset.render(positions)
    assert truth is not None
    decoded = context.autoencoder.decode(context.autoencoder.codebook.place(attributes.weights_at(positions)))
    return iou(truth.reshape(len(truth), -1) / np.float32(255), decoded.reshape(len(decoded), -1))
