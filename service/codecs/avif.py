"""AVIF files (https://aomediacodec.github.io/av1-avif/): what their AV1 frames cost, known before they are decoded.

libavif decodes the frames at their own size and then scales them to that of the file, and Pillow sets it no limit: of a
file of 1 KB that says 64x64, frames of 16384x16384 may come. So the boxes of the file (ISO/IEC 14496-12) are followed
to the AV1 data, and these to their sequence headers (https://aomediacodec.github.io/av1-spec/, sections 5.3 and 5.5).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

BRANDS = {b"avif", b"avis"}
# Of one file: boxes, parts of items and samples, and units of AV1 data. A file with more is refused.
MAX_PARTS = 2**14
SEQUENCE_HEADER, FRAME_HEADER, FRAME = 1, 3, 6
# Longer than any sequence header.
HEADER_BYTES = 512
SAMPLE_TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class Cost(NamedTuple):
    """What decoding takes."""

    pixels: int
    """Of the largest frame that the data allow."""
    frames: int
    """How many frames are decoded, shown or not, tiles of a grid and alpha planes included."""


class Box(NamedTuple):
    """A box of the file: its kind, and where its content is."""

    kind: bytes
    start: int
    stop: int


class Cursor:
    """Reads big-endian numbers, of bytes or of bits, one after the other; raises ValueError beyond the end."""

    def __init__(self, data: bytes, start: int = 0, stop: int | None = None) -> None:
        self._data = data
        self.place = 8 * start
        self._stop = 8 * (len(data) if stop is None else stop)

    def bits(self, count: int) -> int:
        """The number in the next bits."""
        first, self.place = self.place, self.place + count
        if self.place > self._stop:
            raise ValueError("it ends too early")
        last = -(-self.place // 8)
        return (int.from_bytes(self._data[first // 8 : last]) >> (8 * last - self.place)) & ((1 << count) - 1)

    def number(self, size: int = 4) -> int:
        """The number in the next bytes."""
        return self.bits(8 * size)


def is_avif(data: bytes) -> bool:
    """Whether a file says of itself that it is an AVIF, by its brands."""
    brands = data[8 : min(int.from_bytes(data[:4]), 256)]
    return data[4:8] == b"ftyp" and any(brands[at : at + 4] in BRANDS for at in range(0, len(brands), 4))


def cost(data: bytes) -> Cost:
    """What decoding a file takes at most; raises ValueError for one that is damaged or unusual."""
    file = _File(data)
    pixels = frames = size = 0
    for part in chain(_items(file), _samples(file)):
        size += len(part)
        if size > 2 * len(data):  # twice, as the still image of a sequence is its first sample too
            raise ValueError("its parts overlap")
        for kind, content in _units(part):
            file.count()
            if kind == SEQUENCE_HEADER:
                pixels = max(pixels, _pixels(content[:HEADER_BYTES]))
            frames += kind in (FRAME_HEADER, FRAME)
    return Cost(pixels, frames)


class _File:
    """A file, and how many of its parts were looked at."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._parts = 0

    def count(self) -> None:
        """Count one part; raises ValueError if there are too many."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ValueError(f"more than {MAX_PARTS} parts")

    def cursor(self, box: Box, skipped: int = 0) -> Cursor:
        """Reads a box from some byte on."""
        return Cursor(self.data, box.start + skipped, box.stop)

    def boxes(self, start: int, stop: int) -> Iterator[Box]:
        """The boxes from start to stop."""
        while start < stop:
            self.count()
            cursor = Cursor(self.data, start, stop)
            size, kind = cursor.number(), cursor.number().to_bytes(4)
            if size == 1:
                size = cursor.number(8)
            first, end = cursor.place // 8, start + size if size else stop
            if not first <= end <= stop:
                raise ValueError("a box is larger than what it is in")
            yield Box(kind, first, end)
            start = end

    def within(self, path: tuple[bytes, ...], start: int, stop: int) -> Iterator[Box]:
        """Boxes in boxes, by the kinds on the way."""
        for box in self.boxes(start, stop):
            if box.kind == path[0]:
                if len(path) == 1:
                    yield box
                else:
                    yield from self.within(path[1:], box.start, box.stop)


def _items(file: _File) -> Iterator[bytes]:
    """The AV1 data of each item."""
    for meta in file.within((b"meta",), 0, len(file.data)):
        boxes = [*file.boxes(meta.start + 4, meta.stop)]
        coded = {number for box in boxes if box.kind == b"iinf" for number in _coded_items(file, box)}
        inside = b"".join(file.data[box.start : box.stop] for box in boxes if box.kind == b"idat")
        for box in boxes:
            if box.kind == b"iloc":
                yield from _located(file, box, coded, inside)


def _coded_items(file: _File, info: Box) -> Iterator[int]:
    """The numbers of the items that are AV1."""
    version = file.cursor(info).number(1)
    for entry in file.boxes(info.start + (6 if version == 0 else 8), info.stop):
        cursor = file.cursor(entry)
        number_size = 2 if cursor.number(1) < 3 else 4
        cursor.number(3)
        number = cursor.number(number_size)
        cursor.number(2)
        if cursor.number() == int.from_bytes(b"av01"):
            yield number


def _located(file: _File, table: Box, wanted: set[int], inside: bytes) -> Iterator[bytes]:
    """The content of wanted items by the table where each is: somewhere in the file, or ``inside`` the box idat."""
    cursor = file.cursor(table)
    version = cursor.number(1)
    cursor.number(3)
    offset_size, length_size, base_size, index_size = (cursor.bits(4) for _ in range(4))
    for _ in range(cursor.number(4 if version == 2 else 2)):
        file.count()
        number = cursor.number(4 if version == 2 else 2)
        method = cursor.number(2) & 15 if version else 0
        cursor.number(2)
        if method > 1:
            raise ValueError("an item lies in other items")
        base, content, size = cursor.number(base_size), [], 0
        for _ in range(cursor.number(2)):
            file.count()
            cursor.number(index_size if version else 0)
            start, length = base + cursor.number(offset_size), cursor.number(length_size)
            content.append((inside if method else file.data)[start : start + length if length else None])
            size += len(content[-1])
            if size > len(file.data):
                raise ValueError("its parts overlap")
        if number in wanted:
            yield b"".join(content)


def _samples(file: _File) -> Iterator[bytes]:
    """The AV1 data of each sample of an image sequence, by the tables of its tracks."""
    for table in file.within(SAMPLE_TABLE, 0, len(file.data)):
        boxes = {box.kind: box for box in file.boxes(table.start, table.stop)}
        description = boxes.get(b"stsd")
        if description is None or b"av01" not in file.data[description.start : description.stop]:
            continue
        offsets, offset_size = (b"co64", 8) if b"co64" in boxes else (b"stco", 4)
        if not {b"stsz", b"stsc", offsets} <= boxes.keys():
            raise ValueError("a track lacks its tables")
        sizes, chunks, places = (file.cursor(boxes[kind], 4) for kind in (b"stsz", b"stsc", offsets))
        same, left = sizes.number(), sizes.number()
        # How many samples there are in the chunks from one on; chunks count from 1.
        runs = [(chunks.number(), chunks.number(), chunks.number())[:2] for _ in range(min(chunks.number(), MAX_PARTS))]
        if runs != sorted(runs):
            raise ValueError("chunks are out of order")
        for chunk in range(1, places.number() + 1):
            file.count()
            start, run = places.number(offset_size), bisect_right(runs, chunk, key=itemgetter(0)) - 1
            for _ in range(min(left, runs[run][1] if run >= 0 else 0)):
                file.count()
                size = same or sizes.number()
                yield file.data[start : start + size]
                start, left = start + size, left - 1


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind and the content of each unit (OBU)."""
    start = 0
    while start < len(data):
        head = data[start]
        start += 1 + (head >> 2 & 1)
        size = len(data) - start
        if head & 2:
            size = shift = 0
            while True:
                if start >= len(data) or shift > 49:
                    raise ValueError("a unit without its size")
                byte = data[start]
                size |= (byte & 127) << shift
                start, shift = start + 1, shift + 7
                if byte < 128:
                    break
        if head & 128 or start + size > len(data):
            raise ValueError("a unit that is none")
        yield head >> 3 & 15, data[start : start + size]
        start += size


def _pixels(header: bytes) -> int:
    """The pixels of the largest frame that a sequence header allows."""
    bits = Cursor(header).bits
    bits(4)  # profile, whether it is a still picture
    reduced = bits(1)
    if reduced:
        bits(5)
    else:
        delay_bits = 0
        if bits(1):  # timing
            bits(64)
            if bits(1):  # equal intervals, in the code uvlc
                zeros = 0
                while not bits(1):
                    zeros += 1
                bits(zeros)
            if bits(1):  # a model of the decoder
                delay_bits = bits(5) + 1
                bits(42)
        has_delay = bits(1)
        for _ in range(bits(5) + 1):
            bits(12)
            if bits(5) > 7:
                bits(1)
            if delay_bits and bits(1):
                bits(2 * delay_bits + 1)
            if has_delay and bits(1):
                bits(4)
    width_bits, height_bits = bits(4) + 1, bits(4) + 1
    # A frame of a full header may have another size, of as many bits, than the header says.
    return (bits(width_bits) + 1) * (bits(height_bits) + 1) if reduced else 1 << (width_bits + height_bits)
