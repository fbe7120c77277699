"""Originals beside their reconstructions."""

from __future__ import annotations

from collections.abc import Iterator

from attributes import Attributes
from training.autoencoder import Codec, to_uint8
from training.data.dataset import Batch
from training.metrics.outputs import label_weights, shared
from training.metrics.study import Study
from training.plots.canvas import COLUMNS, Picture, grid


def pictures(study: Study) -> Iterator[tuple[str, Picture]]:
    """``reconstructions.png``."""
    yield (
        "reconstructions.png",
        reconstructions(study.codec, study.source.batch(study.rows[:COLUMNS]), study.source.attributes),
    )


def reconstructions(codec: Codec, batch: Batch, attributes: Attributes) -> Picture:
    """Rows: originals, their reconstructions, and what is decoded from their labels, where these tell all."""
    rows = [batch.images, to_uint8(codec.decode(codec.encode(batch.images).z))]
    if len(shared(codec, attributes)) == len(codec.codebook.attributes):
        labels = label_weights(codec, attributes, batch)
        rows.append(to_uint8(codec.decode(codec.codebook.place(labels))))
    return grid(rows)
