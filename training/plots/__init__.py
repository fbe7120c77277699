"""Pictures of what a codec does, as uint8 arrays [H, W, C] and PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.codec import Codec, to_uint8
from training.data.source import Batch
from training.files import replacing
from training.metrics import outputs

COLUMNS = 12
GAP = 2
BACKGROUND = 96

Picture = NDArray[np.uint8]


def grid(rows: list[NDArray[Any]]) -> Picture:
    """Rows of images, each [N, H, W, C] uint8, as one picture [H, W, C] with grey between them."""
    height, width, channels = rows[0].shape[1:]
    across = max(len(row) for row in rows)
    shape = (len(rows) * (height + GAP) + GAP, across * (width + GAP) + GAP, channels)
    picture = np.full(shape, BACKGROUND, np.uint8)
    if channels == 4:
        picture[..., 3] = 255
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = GAP + i * (height + GAP), GAP + j * (width + GAP)
            picture[top : top + height, left : left + width] = image
    return picture


def reconstructions(codec: Codec, batch: Batch) -> Picture:
    """Three rows: originals, their reconstructions, and what is decoded from their labels."""
    made = outputs(codec, batch)
    return grid([batch.images, to_uint8(made.reconstructed), to_uint8(made.decoded)])


def traversals(codec: Codec) -> Picture:
    """One row per attribute, walked over its whole axis in fractions of classes, the others at their defaults."""
    rows = []
    for attribute in codec.attributes:
        if attribute.kind == "nominal":
            positions = np.linspace(0, attribute.size - 1, min(attribute.size, COLUMNS)).astype(np.intp)
            values: list[Any] = positions.tolist()
        elif attribute.kind == "circular":
            values = (np.arange(COLUMNS) * attribute.classes / COLUMNS).tolist()
        else:
            low, high = attribute.bounds if attribute.kind == "continuous" else (0, attribute.size - 1)
            values = np.linspace(low, high, COLUMNS).tolist()
        weights = np.stack([codec.attributes.weights({attribute.name: value}) for value in values])
        rows.append(to_uint8(codec.decode(codec.place(weights))))
    return grid(rows)


def save(picture: Picture, file: Path) -> None:
    """Write a picture [H, W, 1, 3 or 4] as PNG."""
    with replacing(file) as output:
        Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(output, "PNG")
