"""PNG files by their chunks (PNG specification, third edition), to write what no library writes."""

from __future__ import annotations

import struct
import zlib

MEGABYTE = 2**20
SIDE = 64
"""Of an image that is none too large."""


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def zeros(size: int) -> bytes:
    """So many zeros, deflated to a thousandth."""
    deflate = zlib.compressobj(9)
    parts = [deflate.compress(bytes(MEGABYTE)) for _ in range(size // MEGABYTE)]
    return b"".join([*parts, deflate.compress(bytes(size % MEGABYTE)), deflate.flush()])


def black(width: int = SIDE, height: int = SIDE, bits: int = 8) -> bytes:
    """The content of IDAT of a grey image."""
    return zeros(height * (1 + -(-width * bits // 8)))


def png(*chunks: bytes, width: int = SIDE, height: int = SIDE, bits: int = 8) -> bytes:
    """A grey image of these chunks, between IHDR and IEND."""
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")
