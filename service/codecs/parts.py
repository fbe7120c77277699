"""What image files are made of, counted before they are decoded: Pillow takes microseconds of Python for each part.

Parts are the segments of a JPEG, the blocks of a GIF, the chunks of a PNG or WebP, and the boxes of an AVIF. A damaged
file passes: its decoder refuses it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

# libpng writes a chunk for 8 KiB of data, so that a body of 16 MiB has 2048.
MAX_PARTS = 8192
# A block of a GIF holds up to 255 bytes, and encoders fill it.
GIF_BYTES_PER_BLOCK = 64
# Segments of a kind whose contents Pillow joins (EXIF, which takes the square of their number) or parses (Photoshop).
MAX_METADATA_SEGMENTS = 64
METADATA = {0xE1: "APP1", 0xED: "APP13"}
# Bytes before the first scan of a JPEG that are in no segment, such as fill bytes. Pillow reads each by itself.
MAX_STRAY_BYTES = 2**14
# A marker, without fill bytes. FF 00 and restarts (FF D0 to FF D7) belong to the data of a scan (ITU-T T.81, B.1.1).
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
# Markers without a segment, for libjpeg or for Pillow.
ALONE = {*range(0xC0), 0xC8, 0xD8, END_OF_IMAGE, *range(0xF0, 0xFE)}
GIF_EXTENSION, GIF_IMAGE, GIF_TRAILER = b"!,;"


class TooManyPartsError(ValueError):
    """A file of more parts than sensible ones have; the message says of which, ``limit`` how many there may be."""

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"more than {limit} {what}")
        self.limit = limit


def check_parts(data: bytes, pillow_format: str) -> None:
    """Raise TooManyPartsError for a file that is out of proportion."""
    magic, check = CHECKS[pillow_format]
    if data.startswith(magic):  # any other is refused by the decoder
        check(data)


def count_scans(data: bytes) -> int:
    """The scans of a JPEG's first picture, which alone is decoded; raises TooManyPartsError."""
    at = parts = stray = scans = 0
    metadata: Counter[int] = Counter()
    while found := MARKER.search(data, at):
        marker = data[found.start() + 1]
        parts += 1
        stray += 0 if scans else found.start() - at
        if marker in METADATA:
            metadata[marker] += 1
            _limit(metadata[marker], MAX_METADATA_SEGMENTS, f"segments {METADATA[marker]}")
        _limit(parts, MAX_PARTS, "segments")
        if scans and marker == END_OF_IMAGE:
            break
        scans += marker == START_OF_SCAN
        at = found.end()
        if marker not in ALONE:
            at += max(2, int.from_bytes(data[at : at + 2]))
        _limit(stray, MAX_STRAY_BYTES, "bytes between segments")
    if not scans:
        _limit(stray + len(data) - at, MAX_STRAY_BYTES, "bytes between segments")
    return scans


def _check_blocks(data: bytes) -> None:
    """Count a GIF's extensions, images, the blocks of both, and what is neither (GIF89a, 15)."""
    limit = MAX_PARTS + len(data) // GIF_BYTES_PER_BLOCK
    at, end, parts = 13 + _colours(data[10:11]), len(data), 0
    while at < end and (kind := data[at]) != GIF_TRAILER:
        parts += 1
        _limit(parts, limit, "blocks")
        at += 1
        if kind == GIF_IMAGE:
            at += 10 + _colours(data[at + 8 : at + 9])
        elif kind == GIF_EXTENSION:
            at += 1
        else:
            continue
        while at < end and (size := data[at]):
            at += 1 + size
            parts += 1
            _limit(parts, limit, "blocks")
        at += 1


def _colours(flags: bytes) -> int:
    """Bytes of the table of colours that follows, by the flags of a screen or image."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _check_sizes(data: bytes, what: str, size: Callable[[bytes, int], int], start: int = 0) -> None:
    """Count parts that follow each other from ``start`` on, given the size of the part at some place."""
    at, parts = start, 0
    while at < len(data):
        parts += 1
        _limit(parts, MAX_PARTS, what)
        at += size(data, at)


def _png_chunk(data: bytes, at: int) -> int:
    return len(data) if data[at + 4 : at + 8] == b"IEND" else 12 + int.from_bytes(data[at : at + 4])


def _riff(data: bytes) -> bytes:
    """A file without what lies behind its end."""
    return data[: 8 + int.from_bytes(data[4:8], "little")]


def _webp_chunk(data: bytes, at: int) -> int:
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    return 8 + size + size % 2


def _avif_box(data: bytes, at: int) -> int:
    size = int.from_bytes(data[at : at + 4])
    if size == 1:
        size = int.from_bytes(data[at + 8 : at + 16])
    return max(size, 8) if size else len(data)


def _limit(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise TooManyPartsError(limit, what)


# How files of a format begin, and what counts their parts.
CHECKS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "PNG": (b"\x89PNG", lambda data: _check_sizes(data, "chunks", _png_chunk, start=8)),
    "JPEG": (b"\xff\xd8\xff", count_scans),
    "WEBP": (b"RIFF", lambda data: _check_sizes(_riff(data), "chunks", _webp_chunk, start=12)),
    "GIF": (b"GIF8", _check_blocks),
    "AVIF": (b"", lambda data: _check_sizes(data, "boxes", _avif_box)),
    "BMP": (b"BM", len),
}
