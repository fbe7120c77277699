"""From decoded images to a batch, and PNG files exactly as the model takes them, which need no further decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Float32
from service.codecs import png
from service.codecs.decode import UNKNOWN, Source
from service.codecs.png import Shape

MAYBE_PNG = {None, "image/png", "image/apng", "image/x-png", *UNKNOWN}


def may_be_plain(sources: list[Source], shape: Shape, max_pixels: int) -> bool:
    """Whether all files begin like PNG files exactly as the model takes them, of so many pixels together."""
    height, width, _ = shape
    start = png.head(shape)
    return len(sources) * height * width <= max_pixels and all(
        source.media in MAYBE_PNG and source.data.startswith(start) for source in sources
    )


def plain_batch(sources: list[Source], shape: Shape) -> Float32 | None:
    """Images [N, C, H, W] in 0..1 of plain PNG files; None if any file is another."""
    images = []
    for source in sources:
        image = png.decode(source.data, shape)
        if image is None:
            return None
        images.append(image)
    return to_batch(images, shape)


def to_batch(images: list[NDArray[Any]], shape: Shape) -> Float32:
    """Images [N, C, H, W] of 0..1 from images [H, W, C] of 0..255 as uint8 or of 0..1 as float32.

    The colour of what is transparent becomes 0, as in training: nobody sees it.
    """
    height, width, channels = shape
    batch = np.empty((len(images), channels, height, width), np.float32)
    for image, place in zip(images, batch, strict=True):
        planes = image.transpose(2, 0, 1)
        if image.dtype == np.uint8:
            np.divide(planes, np.float32(255), out=place)
        else:
            place[...] = planes
        if channels == 4:
            place[:3, place[3] == 0] = 0
    return batch
