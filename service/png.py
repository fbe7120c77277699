"""PNG files (https://www.w3.org/TR/png-3/), written fast."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Shape = tuple[int, int, int]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
NONE, SUB = 0, 1
"""Filters of a row: bytes as they are, or less those of the pixel to the left."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a file."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I4s", len(data), kind), data, struct.pack(">I", checksum)))


END = chunk(b"IEND", b"")


@lru_cache(maxsize=64)
def head(shape: Shape) -> bytes:
    """How the file of an image [H, W, C] begins: 8 bits, not interlaced."""
    height, width, channels = shape
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0))


def encode(pixels: Pixels) -> bytes:
    """One image [H, W, C] as a file."""
    height, width, channels = pixels.shape
    return b"".join((head((height, width, channels)), chunk(b"IDAT", compress(pixels)), END))


def compress(pixels: Pixels) -> bytes:
    """The data of an image [H, W, C], of one IDAT chunk."""
    height, width, channels = pixels.shape
    rows = np.empty((height, 1 + width * channels), np.uint8)
    image = rows[:, 1:].reshape(pixels.shape)
    image[...] = pixels
    if channels == 1:
        rows[:, 0] = NONE  # grey sprites are flat, and smallest so
    else:
        rows[:, 0] = SUB  # hardly larger where colours are flat, much smaller where they are not
        image[:, 1:] -= pixels[:, :-1]
    return isal_zlib.compress(rows, 1)
