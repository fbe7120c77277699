"""Images above their reconstructions."""

from __future__ import annotations

from collections.abc import Iterator

from attributes import Attributes
from training.autoencoder import Autoencoder, to_uint8
from training.data.dataset import Batch
from training.metrics.context import EvaluationContext
from training.metrics.predictions import shared_attributes, target_weights
from training.plots.pictures import COLUMNS, Picture, grid


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``reconstructions.png``."""
    batch = context.dataset.batch(context.rows[:COLUMNS])
    yield "reconstructions.png", reconstructions(context.autoencoder, batch, context.dataset.attributes)


def reconstructions(autoencoder: Autoencoder, batch: Batch, attributes: Attributes) -> Picture:
    """Three rows of images: originals, reconstructions, and the labels decoded.

    The third row is left out if the data lacks an attribute of the model.
    """
    rows = [batch.images, to_uint8(autoencoder.decode(autoencoder.encode(batch.images).z))]
    if len(shared_attributes(autoencoder, attributes)) == len(autoencoder.codebook.attributes):
        weights = target_weights(autoencoder, attributes, batch)
        rows.append(to_uint8(autoencoder.decode(autoencoder.codebook.place(weights))))
    return grid(rows)
