"""Fidelity between grid values: what is decoded half-way between two classes, against the true image there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.metrics.decoding import iou
from training.metrics.outputs import shared
from training.metrics.study import CHUNK, Study, labels_of

ROWS = 2_000


def values(study: Study) -> Iterator[tuple[str, NDArray[Any]]]:
    """``fidelity.NAME``: IoU where one attribute that has an order lies a random fraction past its class.

    Of at most ``ROWS`` rows; nothing if the source knows no true images there, or the model other attributes.
    """
    source, codec = study.source, study.codec
    attributes = source.attributes
    same = len(shared(codec, attributes)) == len(codec.codebook.attributes) == len(attributes)
    rows = study.rows[:ROWS]
    if not same or any(a.kind == "continuous" for a in attributes):
        return
    classes, complete = labels_of(source, rows, list(attributes))
    classes = classes[complete]
    if source.render(classes[:1].astype(np.float64)) is None:
        return
    draw = np.random.default_rng(study.seed)
    for index, attribute in enumerate(attributes):
        if attribute.kind == "nominal":
            continue
        positions = classes.astype(np.float64)
        last = attribute.classes if attribute.kind == "circular" else attribute.size - 1
        positions[:, index] = np.minimum(positions[:, index], last - 1) + draw.random(len(positions))
        parts = [_iou(study, attributes, positions[i : i + CHUNK]) for i in range(0, len(positions), CHUNK)]
        yield f"fidelity.{attribute.name}", np.concatenate(parts)


def _iou(study: Study, attributes: Attributes, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    truth = study.source.render(positions)
    assert truth is not None
    drawn = study.codec.decode(study.codec.codebook.place(attributes.weights_at(positions)))
    return iou(truth.reshape(len(truth), -1) / np.float32(255), drawn.reshape(len(drawn), -1))
