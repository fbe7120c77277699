"""Pictures of what a codec does, as uint8 arrays [H, W, C] and PNG files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.attributes import Attribute, Attributes
from training.codec import Codec, to_uint8
from training.data.source import Batch
from training.files import replacing
from training.metrics.outputs import label_weights, shared

COLUMNS = 12
GAP = 2
BACKGROUND = 96
NAME_SIZE = 13

Picture = NDArray[np.uint8]


def grid(rows: list[NDArray[Any]]) -> Picture:
    """Rows of images, each [N, H, W, C] uint8, as one picture [H, W, C] with grey lines between them."""
    height, width, channels = rows[0].shape[1:]
    across = max(len(row) for row in rows)
    shape = (len(rows) * (height + GAP) + GAP, across * (width + GAP) + GAP, channels)
    picture = np.full(shape, 255, np.uint8)
    for i, row in enumerate(rows):
        bottom, right = (i + 1) * (height + GAP) + GAP, len(row) * (width + GAP) + GAP
        picture[i * (height + GAP) : bottom, :right, :3] = BACKGROUND
        for j, image in enumerate(row):
            top, left = GAP + i * (height + GAP), GAP + j * (width + GAP)
            picture[top : top + height, left : left + width] = image
    return picture


def reconstructions(codec: Codec, batch: Batch, attributes: Attributes) -> Picture:
    """Rows: originals, their reconstructions, and what is decoded from their labels, where these tell all."""
    rows = [batch.images, to_uint8(codec.decode(codec.encode(batch.images).z))]
    if len(shared(codec, attributes)) == len(codec.codebook.attributes):
        labels = label_weights(codec, attributes, batch)
        rows.append(to_uint8(codec.decode(codec.codebook.place(labels))))
    return grid(rows)


def traversals(codec: Codec) -> Picture:
    """One row per attribute, walked over its whole axis, the others at their defaults; its name stands before it."""
    rows = []
    vocabulary = codec.codebook.attributes
    for attribute in vocabulary:
        weights = np.stack([vocabulary.weights({attribute.name: value}) for value in _axis(attribute)])
        rows.append(to_uint8(codec.decode(codec.codebook.place(weights))))
    return _with_names(grid(rows), [attribute.name for attribute in vocabulary])


def _axis(attribute: Attribute) -> list[float]:
    """Values from one end to the other, in fractions of classes unless they are nominal."""
    if attribute.kind == "nominal":
        return [float(round(each)) for each in np.linspace(0, attribute.size - 1, min(attribute.size, COLUMNS))]
    if attribute.kind == "circular":
        return [each * attribute.classes / COLUMNS for each in range(COLUMNS)]
    return [float(each) for each in np.linspace(*attribute.ends, COLUMNS)]


def _with_names(picture: Picture, names: list[str]) -> Picture:
    """A grid with the name of each row in a margin before it, as RGB or RGBA."""
    font = ImageFont.load_default(NAME_SIZE)
    margin = 2 * NAME_SIZE + math.ceil(max(font.getlength(name) for name in names))
    mode = "RGBA" if picture.shape[-1] == 4 else "RGB"
    named = Image.new(mode, (margin + picture.shape[1], picture.shape[0]), "white")
    named.paste(Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture), (margin, 0))
    draw, step = ImageDraw.Draw(named), picture.shape[0] / len(names)
    for i, name in enumerate(names):
        draw.text((margin - NAME_SIZE, (i + 0.5) * step), name, fill="black", font=font, anchor="rm")
    return np.asarray(named)


def save(picture: Picture, file: Path) -> None:
    """Write a picture [H, W, 1, 3 or 4] as PNG."""
    with replacing(file) as output:
        Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(output, "PNG")
