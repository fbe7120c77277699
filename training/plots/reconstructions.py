"""Originals beside their reconstructions."""

from __future__ import annotations

from collections.abc import Iterator

from attributes import Attributes
from training.autoencoder import Autoencoder, to_uint8
from training.data.dataset import Batch
from training.metrics.context import EvaluationContext
from training.metrics.outputs import label_weights, shared
from training.plots.canvas import COLUMNS, Picture, grid


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``reconstructions.png``."""
    yield (
        "reconstructions.png",
        reconstructions(context.autoencoder, context.dataset.batch(context.rows[:COLUMNS]), context.dataset.attributes),
    )


def reconstructions(autoencoder: Autoencoder, batch: Batch, attributes: Attributes) -> Picture:
    """Rows: originals, their reconstructions, and what is decoded from their labels, where these tell all."""
    rows = [batch.images, to_uint8(autoencoder.decode(autoencoder.encode(batch.images).z))]
    if len(shared(autoencoder, attributes)) == len(autoencoder.codebook.attributes):
        labels = label_weights(autoencoder, attributes, batch)
        rows.append(to_uint8(autoencoder.decode(autoencoder.codebook.place(labels))))
    return grid(rows)
