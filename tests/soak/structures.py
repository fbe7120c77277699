"""Image files made from valid ones of every format by their structure: pieces repeated, moved, left out, damaged."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from PIL import Image

from tests.soak.bombs import WITHIN, _scans

MOST_BYTES = 2**21
"""Of a file that pieces were repeated in."""
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
TOKENS: dict[str, tuple[bytes, ...]] = {
    "JPEG": (b"\xff", b"\xff\0", b"\xff\xd0", b"\xff\xe4\0\2", b"\xff\xe1\0\x08Exif\0\0", b"\xff\xfe\0\3c"),
    "PNG": (struct.pack(">I4sI", 0, b"teSt", 0xF27DD09F), struct.pack(">I4sI", 0, b"IDAT", 0x35AF061E)),
    "GIF": (b"\x21\xfe\1c\0", b"\x21\xfe\0", b"\0", b"\x21\xf9\4\0\1\0\0\0"),
    "WEBP": (b"teSt\0\0\0\0",),
    "AVIF": (b"\0\0\0\x08free",),
    "BMP": (b"\0\1", b"\1\0"),
}
"""Small pieces that may be there any number of times."""


class File(NamedTuple):
    """A file that was made, its format, and what was done to a valid one."""

    form: str
    data: bytes
    made: str


def made(seed: int, number: int) -> File:
    """One of the files of a seed."""
    draw = random.Random(f"{seed} {number}")
    form, name = draw.choice([*VALID])
    pieces = [*_pieces(form, name)]
    done = [name]
    for _ in range(draw.randint(1, 3)):
        change = draw.choice(CHANGES)
        done.append(change.__name__.strip("_"))
        pieces = change(draw, form, pieces)
    data = _joined(form, pieces, mended=draw.random() < 0.7)
    if draw.random() < 0.1:
        data = data[: draw.randrange(len(data) + 1)]
        done.append("cut")
    return File(form, data, f"{form}: {', '.join(done)}")


def valid(form: str, name: str) -> bytes:
    """One of the valid files."""
    return VALID[form, name]()


@cache
def _pieces(form: str, name: str) -> tuple[bytes, ...]:
    data = valid(form, name)
    return tuple(part for part in SPLIT[form](data) if part)


def _repeat(draw: random.Random, form: str, pieces: list[bytes]) -> list[bytes]:
    """Some pieces in a row, again and again."""
    start = draw.randrange(len(pieces))
    stop = min(len(pieces), start + draw.choice((1, 1, 2, 4, 8, len(pieces))))
    again = pieces[start:stop]
    times = min(int(2 ** draw.uniform(0, 16)), MOST_BYTES // max(1, sum(map(len, again))))
    return pieces[:stop] + again * times + pieces[stop:]


def _stutter(draw: random.Random, form: str, pieces: list[bytes]) -> list[bytes]:
    """A small piece, again and again."""
    token, place = draw.choice(TOKENS[form]), draw.randrange(len(pieces) + 1)
    times = min(int(2 ** draw.uniform(0, 20)), MOST_BYTES // len(token))
    return [*pieces[:place], token * times, *pieces[place:]]


def _move(draw: random.Random, form: str, pieces: list[bytes]) -> list[bytes]:
    """Two pieces change places."""
    first, second = (draw.randrange(len(pieces)) for _ in range(2))
    moved = pieces[:]
    moved[first], moved[second] = moved[second], moved[first]
    return moved


def _drop(draw: random.Random, form: str, pieces: list[bytes]) -> list[bytes]:
    place = draw.randrange(len(pieces))
    return [*pieces[:place], *pieces[place + 1 :]] or pieces


def _damage(draw: random.Random, form: str, pieces: list[bytes]) -> list[bytes]:
    """Bytes at the beginning of a piece, where lengths, sizes and counts are."""
    place = draw.randrange(len(pieces))
    piece = bytearray(pieces[place])
    for _ in range(draw.randint(1, 4)):
        piece[draw.randrange(min(len(piece), 40))] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
    return [*pieces[:place], bytes(piece), *pieces[place + 1 :]]


CHANGES: tuple[Callable[[random.Random, str, list[bytes]], list[bytes]], ...]
CHANGES = (_repeat, _repeat, _repeat, _stutter, _move, _drop, _damage)


def _jpeg(data: bytes) -> list[bytes]:
    """Segments; scans with their data."""
    pieces, at = [], 0
    while found := MARKER.search(data, at):
        start, marker = found.start(), data[found.start() + 1]
        stop = found.end()
        if marker not in (0xD8, 0xD9):
            stop += int.from_bytes(data[stop : stop + 2])
        if marker == 0xDA:
            following = MARKER.search(data, stop)
            stop = following.start() if following else len(data)
        pieces += [data[at:start], data[start:stop]]
        at = stop
    return [*pieces, data[at:]]


def _png(data: bytes) -> list[bytes]:
    return [data[:8], *_sized(data, 8, lambda at: 12 + int.from_bytes(data[at : at + 4]))]


def _webp(data: bytes) -> list[bytes]:
    def size(at: int) -> int:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        return 8 + length + length % 2

    return [data[:12], *_sized(data, 12, size)]


def _avif(data: bytes) -> list[bytes]:
    return _sized(data, 0, lambda at: int.from_bytes(data[at : at + 4]) or len(data))


def _gif(data: bytes) -> list[bytes]:
    """Screen; extensions; images, each as its head and its blocks."""

    def colours(flags: int) -> int:
        return 3 << (flags & 7) + 1 if flags & 0x80 else 0

    at = 13 + colours(data[10])
    pieces = [data[:at]]
    while at < len(data) and data[at] != 0x3B:
        start = at
        at += 2 if data[at] == 0x21 else 11 + colours(data[at + 9])
        pieces.append(data[start:at])
        while size := data[at]:
            pieces.append(data[at : at + 1 + size])
            at += 1 + size
        pieces.append(b"\0")
        at += 1
    return [*pieces, data[at:]]


def _bmp(data: bytes) -> list[bytes]:
    start = int.from_bytes(data[10:14], "little")
    return [data[:14], data[14:54], data[54:start], *(data[at : at + 512] for at in range(start, len(data), 512))]


def _sized(data: bytes, start: int, size: Callable[[int], int]) -> list[bytes]:
    pieces = []
    while start < len(data):
        stop = start + max(1, size(start))
        pieces.append(data[start:stop])
        start = stop
    return pieces


SPLIT = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif, "AVIF": _avif, "BMP": _bmp}


def _joined(form: str, pieces: list[bytes], *, mended: bool) -> bytes:
    """The file; checksums of a PNG and the size of a WebP are right if it is ``mended``."""
    if mended and form == "PNG":
        pieces = [_checked(piece) for piece in pieces]
    data = b"".join(pieces)
    if mended and form == "WEBP" and data[:4] == b"RIFF":
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    return data


def _checked(piece: bytes) -> bytes:
    if len(piece) < 12 or int.from_bytes(piece[:4]) + 12 != len(piece):
        return piece
    return piece[:-4] + struct.pack(">I", zlib.crc32(piece[4:-4]))


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _frames(side: int, mode: str = "RGB") -> list[Image.Image]:
    return [Image.radial_gradient("L").rotate(30 * turn).resize((side, side)).convert(mode) for turn in range(4)]


def _film(form: str, side: int, **options: object) -> bytes:
    frames = _frames(side, "P" if form == "GIF" else "RGB")
    return _saved(frames[0], form, save_all=True, append_images=frames[1:], duration=20, **options)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description" * 100
    return exif.tobytes()


def _large(mode: str = "L") -> Image.Image:
    return Image.new(mode, (WITHIN, WITHIN))


def _several_pictures() -> bytes:
    """A JPEG of small scans that go over all its pixels, and of further pictures, if one believes it: MPO."""
    small = _saved(_frames(8)[0], "MPO", save_all=True, append_images=_frames(8)[1:])
    (pictures,) = (piece for piece in _jpeg(small) if piece[4:8] == b"MPF\0")
    scans = _scans(WITHIN, 8)
    return scans[:2] + pictures + scans[2:]


VALID: dict[tuple[str, str], Callable[[], bytes]] = {
    ("JPEG", "plain"): lambda: _saved(_frames(64)[0], "JPEG", exif=_exif(), comment=b"c" * 99, icc_profile=b"i" * 9999),
    ("JPEG", "progressive"): lambda: _saved(_frames(64)[0], "JPEG", progressive=True, restart_marker_blocks=4),
    ("JPEG", "large and progressive"): lambda: _saved(_large(), "JPEG", progressive=True),
    ("JPEG", "several pictures, of many scans"): _several_pictures,
    ("PNG", "plain"): lambda: _saved(_frames(64)[0], "PNG", exif=_exif(), icc_profile=b"i" * 9999),
    ("PNG", "large, of 16 bits"): lambda: _saved(_large("I;16"), "PNG"),
    ("PNG", "film"): lambda: _film("PNG", 64),
    ("GIF", "film"): lambda: _film("GIF", 64, comment=b"c" * 999),
    ("GIF", "large film"): lambda: _film("GIF", 1024),
    ("WEBP", "plain"): lambda: _saved(_frames(64)[0], "WEBP", exif=_exif(), icc_profile=b"i" * 9999),
    ("WEBP", "large"): lambda: _saved(_large("RGB"), "WEBP", method=0),
    ("WEBP", "film"): lambda: _film("WEBP", 64, method=0),
    ("AVIF", "plain"): lambda: _saved(_frames(64)[0], "AVIF", speed=10, exif=_exif()),
    ("AVIF", "large"): lambda: _saved(_large(), "AVIF", speed=10),
    ("AVIF", "film"): lambda: _film("AVIF", 64, speed=10),
    ("BMP", "plain"): lambda: _saved(_frames(64)[0].quantize(64), "BMP"),
    ("BMP", "large"): lambda: _saved(_large("1"), "BMP"),
}
"""By format and name."""
