"""PNG files (https://www.w3.org/TR/png-3/): a fast encoder, and a fast decoder for the plain files that models take.

``decode`` gives None for any file that it does not support. Such a file may still be valid: Pillow decides then.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

Image8 = NDArray[np.uint8]  # [H, W, C]
Shape = tuple[int, int, int]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's names
# Filters of a row: NONE stores bytes as they are, SUB stores differences to the pixel on the left.
NONE, SUB = 0, 1
# Bytes of a plain file beyond twice those of its pixels. A longer one may have a million chunks, which take a second.
SPARE_BYTES = 4096
# The chunks of an animation: by name they are ancillary.
ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
# Chunks that change no pixel, with their least number of bytes. Text chunks are not harmless: one with the keyword
# ``interlace`` or ``transparency`` changes how Pillow reads the image.
HARMLESS = {b"bKGD": 2, b"cHRM": 32, b"gAMA": 4, b"pHYs": 9, b"sBIT": 1, b"sRGB": 1, b"tIME": 7}


class DamagedChunk(ValueError):
    """A file whose critical chunk has a wrong checksum; the message names the chunk."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a file."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I4s", len(data), kind), data, struct.pack(">I", checksum)))


END = chunk(b"IEND", b"")


@lru_cache(maxsize=64)
def head(shape: Shape) -> bytes:
    """The beginning of the file of an image [H, W, C]: 8 bits, not interlaced."""
    height, width, channels = shape
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0))


def encode(pixels: Image8) -> bytes:
    """One image [H, W, C] as a file."""
    height, width, channels = pixels.shape
    return b"".join((head((height, width, channels)), chunk(b"IDAT", compress(pixels)), END))


def compress(pixels: Image8) -> bytes:
    """The data of an image [H, W, C] for one IDAT chunk."""
    height, width, channels = pixels.shape
    rows = np.empty((height, 1 + width * channels), np.uint8)
    image = rows[:, 1:].reshape(pixels.shape)
    image[...] = pixels
    if channels == 1:
        rows[:, 0] = NONE  # grey sprites are flat, and smallest without a filter
    else:
        rows[:, 0] = SUB  # hardly larger than NONE where colours are flat, much smaller where they are not
        image[:, 1:] -= pixels[:, :-1]
    return isal_zlib.compress(rows, 1)


def decode(data: bytes, shape: Shape) -> Image8 | None:
    """The image [H, W, C] of an undamaged, plain file of exactly this shape with 8 bits; None for any other file."""
    start = head(shape)
    if not (data.startswith(start) and data.endswith(END)) or len(data) > 2 * math.prod(shape) + SPARE_BYTES:
        return None
    compressed = _image_data(data, len(start))
    return None if compressed is None else _image(compressed, shape)


def mend(data: bytes) -> tuple[bytes, list[str]]:
    """The file without its ancillary chunks of a wrong checksum, as libpng reads it, and the names of these.

    If one of them belongs to an animation, none of it is left, but the static image: so the animation's specification
    recommends it (https://wiki.mozilla.org/APNG_Specification). Raises DamagedChunk for a critical chunk.
    """
    chunks = [*_chunks(data)]
    damaged = dict.fromkeys(kind for kind, _, _, intact in chunks if not intact)
    for kind in damaged:
        if kind[:1].isupper():
            raise DamagedChunk(f"the checksum of its chunk {kind.decode()} is wrong")
    left_out = ANIMATION if ANIMATION & damaged.keys() else set()
    kept = [data[start:stop] for kind, start, stop, intact in chunks if intact and kind not in left_out]
    end = chunks[-1][2] if chunks else len(SIGNATURE)
    return b"".join((data[: len(SIGNATURE)], *kept, data[end:])), [kind.decode() for kind in damaged]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """Kind, start and stop of each chunk that is complete, and whether its checksum is right."""
    start = len(SIGNATURE)
    while start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        stop = start + 12 + length
        if stop > len(data) or not kind.isalpha():
            return
        yield kind, start, stop, zlib.crc32(data[start + 4 : stop - 4]) == int.from_bytes(data[stop - 4 : stop])
        start = stop
        if kind == b"IEND":
            return


def _image_data(data: bytes, start: int) -> bytes | None:
    """The data of all IDAT chunks, if every chunk from ``start`` on is complete and harmless; else None."""
    parts, end = [], len(data) - len(END)
    while start < end:
        length, kind = struct.unpack_from(">I4s", data, start)
        stop = start + 8 + length
        if stop + 4 > end or zlib.crc32(data[start + 4 : stop]) != int.from_bytes(data[stop : stop + 4]):
            return None
        if kind == b"IDAT":
            parts.append(data[start + 8 : stop])
        elif parts or length < HARMLESS.get(kind, length + 1):
            return None
        start = stop + 4
    return b"".join(parts)


def _image(compressed: bytes, shape: Shape) -> Image8 | None:
    height, width, channels = shape
    size = height * (1 + width * channels)
    inflate = zlib.decompressobj()  # as strict as Pillow; isal accepts streams that zlib refuses
    try:
        rows = inflate.decompress(compressed, size + 1)
    except zlib.error:
        return None
    return _unfiltered(rows, shape) if inflate.eof and len(rows) == size else None


def _unfiltered(rows: bytes, shape: Shape) -> Image8 | None:
    height, width, channels = shape
    filters = rows[:: 1 + width * channels]
    image = np.frombuffer(rows, np.uint8).reshape(height, -1)[:, 1:].reshape(shape)
    if filters.count(NONE) == height:
        return image
    if filters.count(SUB) == height:
        return np.add.accumulate(image, axis=1, dtype=np.uint8)
    mode = MODES[channels]
    try:
        # Pillow inflates row by row, which takes long. So it gets the rows in stored blocks.
        picture = Image.frombytes(mode, (width, height), _stored(rows), "zip", mode)
    except ValueError:  # an unknown filter
        return None
    return np.frombuffer(picture.tobytes(), np.uint8).reshape(shape)


def _stored(rows: bytes) -> bytes:
    """A zlib stream of stored blocks (RFC 1951, section 3.2.4), without its checksum, which Pillow does not check."""
    blocks = [rows[at : at + 65535] for at in range(0, len(rows), 65535)]
    parts = [struct.pack("<?HH", block is blocks[-1], len(block), 65535 - len(block)) + block for block in blocks]
    return b"".join((b"\x78\x01", *parts))
