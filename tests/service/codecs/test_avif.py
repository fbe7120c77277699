from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.codecs import avif
from service.codecs.avif import Cost, cost, is_avif
from tests.service.codecs.pictures import noise, saved


@pytest.mark.parametrize(("brands", "expected"), [
    ("avif", True), ("avis", True), ("mif1 avif", True), ("msf1 mif1 avis", True),
    ("heic mif1", False), ("mif1 heic", False), ("isom mp42", False),
])  # fmt: skip
def test_an_avif_is_told_by_its_brands(brands: str, expected: bool):
    """A HEIC has the same container, and the brand mif1 too."""
    major, *compatible = brands.split()
    content = b"ftyp" + major.encode() + bytes(4) + "".join(compatible).encode()
    assert is_avif(struct.pack(">I", 4 + len(content)) + content + b"avif") is expected


@pytest.mark.parametrize("data", [b"", b"avif", b"\0\0\0\x08ftyp", b"\xff\xff\xff\xffftypheic" + b"x" * 1000])
def test_other_files_are_no_avif(data: bytes):
    assert not is_avif(data)


@pytest.mark.parametrize(("mode", "planes"), [("L", 1), ("RGB", 1), ("RGBA", 2)])
def test_a_still_image_costs_its_pixels_and_those_of_its_alpha(mode: str, planes: int):
    assert cost(saved(noise(mode, (33, 31)), "AVIF")) == Cost(33 * 31, planes)


def test_a_sequence_costs_its_frames_and_the_size_that_their_bits_allow():
    """The first frame is the still image too. 33 and 31 take 6 and 5 bits."""
    frames = [noise("RGB", (33, 31), seed) for seed in range(3)]
    pixels, count = cost(saved(frames[0], "AVIF", save_all=True, append_images=frames[1:]))
    assert 33 * 31 <= pixels <= 64 * 64
    assert 4 <= count <= 8


def test_real_files_cost_what_they_are(image_files: Path):
    assert cost((image_files / "avif_alpha.avif").read_bytes()) == Cost(64 * 64, 2)


@pytest.mark.parametrize("frames", [1, 3])
def test_damage_raises_nothing_but_value_errors(frames: int):
    pictures = [noise("RGBA", (16, 16), seed) for seed in range(frames)]
    data = saved(pictures[0], "AVIF", save_all=frames > 1, append_images=pictures[1:])
    draw, refused = np.random.default_rng(0), 0
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] = draw.integers(256)
        for damaged in (data[:place], bytes(flipped)):
            try:
                cost(damaged)
            except ValueError:
                refused += 1
    assert refused > len(data) / 2


def box(kind: bytes, *content: bytes) -> bytes:
    whole = b"".join(content)
    return struct.pack(">I4s", 8 + len(whole), kind) + whole


def unit(kind: int, content: bytes = b"") -> bytes:
    """A unit of AV1 data that says its size."""
    return bytes((kind << 3 | 2, len(content))) + content


def sequence_header(width: int, height: int, *, reduced: bool) -> bytes:
    """A sequence header of 16 bits for each side (AV1 specification, section 5.5.1)."""
    start = "0001" + "1" + "00000" if reduced else "000" + "00" + "0" + "0" + "00000" + "0" * 12 + "00000"
    text = start + "1111" * 2 + f"{width - 1:016b}{height - 1:016b}"
    return int(text.ljust(8 * -(-len(text) // 8), "0"), 2).to_bytes(-(-len(text) // 8))


def item(data: bytes, *, method: int = 0, extents: int = 1) -> bytes:
    """A file of one item, whose data are in the file or in its box idat, in equal parts."""

    def meta(start: int) -> bytes:
        step = len(data) // extents
        places = b"".join(
            struct.pack(">II", start + index * step, step if index < extents - 1 else len(data) - index * step)
            for index in range(extents)
        )
        info = box(
            b"iinf", bytes(4), struct.pack(">H", 1), box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", 1, 0, b"av01"))
        )
        where = struct.pack(">BBHHHH", 0x44, 0, 1, 1, method, 0) + struct.pack(">H", extents)
        inside = box(b"idat", data) if method else b""
        return box(b"meta", bytes(4), info, box(b"iloc", b"\1\0\0\0", where, places), inside)

    return meta(0) if method else (head := meta(len(meta(0)) + 8)) + box(b"mdat", data)[: 8 + len(data)] * bool(head)


@pytest.mark.parametrize(("method", "extents"), [(0, 1), (0, 3), (1, 1), (1, 2)])
def test_data_are_found_wherever_they_are(method: int, extents: int):
    data = unit(2) + unit(1, sequence_header(300, 200, reduced=True)) + unit(6, bytes(9)) * 5
    assert cost(item(data, method=method, extents=extents)) == Cost(300 * 200, 5)


def test_a_full_header_allows_any_size_of_its_bits():
    assert cost(item(unit(1, sequence_header(300, 200, reduced=False)) + unit(3))) == Cost(2**32, 1)


def test_the_largest_of_several_headers_counts():
    headers = [unit(1, sequence_header(side, side, reduced=True)) for side in (10, 900, 20)]
    assert cost(item(b"".join(headers) + unit(6))) == Cost(900 * 900, 1)


def test_the_last_unit_needs_no_size():
    data = unit(6) + bytes((1 << 3,)) + sequence_header(77, 5, reduced=True)
    assert cost(item(data)) == Cost(77 * 5, 1)


@pytest.mark.parametrize("data", [
    # Extents that take no byte of the table.
    box(b"meta", bytes(4), box(b"iloc", b"\1\0\0\0", b"\0\0\xff\xff", (bytes(6) + b"\xff\xff") * 0xFFFF)),
    box(b"free") * 200_000,
    item(unit(2) * 100_000),
    struct.pack(">I", 4) + b"free",
    struct.pack(">I4sQ", 1, b"free", 2**63),
])  # fmt: skip
def test_what_would_take_long_or_never_end_is_refused(data: bytes):
    with pytest.raises(ValueError, match=r"."):
        cost(data)


def tracks(count: int, per_chunk: int, chunks: int, size: int, data: bytes) -> bytes:
    """A file of one track, whose chunks all lie at the same place."""
    tables = [
        box(b"stsd", bytes(8), box(b"av01")),
        box(b"stsz", bytes(4), struct.pack(">II", size, count)),
        box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, per_chunk, 1)),
        box(b"stco", bytes(4), struct.pack(">I", chunks), struct.pack(">I", 8) * min(chunks, 100_000)),
    ]
    nested = box(b"stbl", *tables)
    for kind in (b"minf", b"mdia", b"trak", b"moov"):
        nested = box(kind, nested)
    return box(b"mdat", data) + nested


def test_samples_are_found_by_their_tables():
    sample = unit(1, sequence_header(40, 30, reduced=True)) + unit(6)
    assert cost(tracks(3, 3, 1, len(sample), sample * 3)) == Cost(40 * 30, 3)


@pytest.mark.parametrize(
    ("count", "per_chunk", "chunks"), [(2**32 - 1, 2**32 - 1, 1), (2**20, 100, 2**20), (2**30, 2**14, 2**14)]
)
def test_tables_of_endless_samples_are_refused(count: int, per_chunk: int, chunks: int):
    with pytest.raises(ValueError, match=r"."):
        cost(tracks(count, per_chunk, chunks, 2, unit(2) * 9))


def test_pillow_reads_what_is_measured():
    """The boxes of real files are those that are followed here: the oracle is that Pillow finds the same size."""
    data = saved(Image.new("RGB", (48, 20), (200, 10, 10)), "AVIF")
    assert avif.cost(data).pixels == 48 * 20
