from __future__ import annotations

import struct
from itertools import repeat
from pathlib import Path

import pytest
from PIL import Image

from service.codecs import png
from service.codecs.decode import PILLOW_FORMATS
from service.codecs.parts import TooManyPartsError, check_parts, count_scans
from tests.service.codecs.pictures import noise, saved

FRAMES = [noise("RGB", (64, 48), seed).quantize(64) for seed in range(100)]
ANIMATED = {"save_all": True, "append_images": FRAMES[1:], "duration": 20}


def segment(marker: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def jpeg(*parts: bytes, **options: object) -> bytes:
    """A JPEG with further segments, or other bytes, at its start."""
    data = saved(noise("RGB", (16, 16)), "JPEG", **options)
    return data[:2] + b"".join(parts) + data[2:]


def gif(*parts: bytes) -> bytes:
    """A GIF with further blocks at its start."""
    data = saved(Image.new("L", (8, 8)), "GIF")
    start = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:start] + b"".join(parts) + data[start:]


def webp(chunks: int) -> bytes:
    data = saved(noise("RGB"), "WEBP")[12:] + b"teSt\2\0\0\0ok" * chunks
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WEBP" + data


def comment(*blocks: bytes) -> bytes:
    return b"\x21\xfe" + b"".join(bytes([len(each)]) + each for each in blocks) + b"\0"


def big_jpeg() -> bytes:
    """An ICC profile of 16 MB, in as many segments as there may be, and XMP in some."""
    profile = (segment(0xE2, b"ICC_PROFILE\0" + bytes([each, 255]) + bytes(65_000)) for each in range(1, 256))
    return jpeg(*profile, *repeat(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000)), 20))


@pytest.mark.parametrize(("pillow_format", "data"), [
    ("JPEG", big_jpeg()),
    ("JPEG", saved(noise("RGB", (900, 600)), "JPEG", progressive=True, restart_marker_blocks=1, comment=b"c" * 9000)),
    ("JPEG", jpeg(b"\xff" * 1000, segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 60)),
    ("GIF", saved(FRAMES[0], "GIF", **ANIMATED, comment=b"c" * 100_000)),
    ("PNG", saved(FRAMES[0], "PNG", **ANIMATED)),
    ("PNG", saved(noise("L")) + bytes(2**20)),
    ("WEBP", saved(FRAMES[0], "WEBP", **ANIMATED)),
    ("WEBP", webp(3) + bytes(2**20)),
    ("AVIF", saved(FRAMES[0], "AVIF", **ANIMATED, speed=10)),
    ("BMP", saved(noise("RGB"), "BMP")),
])  # fmt: skip
def test_files_as_encoders_write_them_pass(pillow_format: str, data: bytes):
    check_parts(data, pillow_format)


def test_real_files_pass(image_files: Path):
    """Among them are a profile of 432 KB, comments of no bytes, 36 KB behind the end, and damaged files."""
    for path in image_files.iterdir():
        for pillow_format in PILLOW_FORMATS.values():
            check_parts(path.read_bytes(), pillow_format)


@pytest.mark.parametrize(("pillow_format", "data", "message"), [
    ("JPEG", jpeg(segment(0xE4) * 10_000), "more than 8192 segments"),
    ("JPEG", jpeg(segment(0xE1, b"Exif\0\0") * 65), "more than 64 segments APP1"),
    ("JPEG", jpeg(segment(0xED, b"Photoshop 3.0\0") * 65), "more than 64 segments APP13"),
    ("JPEG", jpeg(b"\xff" * 20_000), "more than 16384 bytes between segments"),
    ("JPEG", jpeg(b"\xff" + bytes(20_000)), "more than 16384 bytes between segments"),
    ("JPEG", jpeg(b"\xff\0" * 10_000), "more than 16384 bytes between segments"),
    ("JPEG", jpeg(b"\xff\xd0" * 10_000), "more than 16384 bytes between segments"),
    # Pillow reads what follows as if it were no segment.
    ("JPEG", jpeg(segment(0xF0, bytes(20_000))), "more than 16384 bytes between segments"),
    ("JPEG", b"\xff\xd8" + b"\xff" * 20_000, "more than 16384 bytes between segments"),
    ("GIF", gif(comment(*[b"c"] * 20_000)), r"more than \d+ blocks"),
    ("GIF", gif(comment() * 20_000), r"more than \d+ blocks"),
    ("GIF", gif(bytes(20_000)), r"more than \d+ blocks"),
    ("PNG", saved(noise("L"))[:-12] + png.chunk(b"teSt", b"") * 10_000, "more than 8192 chunks"),
    ("WEBP", webp(10_000), "more than 8192 chunks"),
    ("AVIF", saved(noise("RGB"), "AVIF") + struct.pack(">I4s", 8, b"free") * 10_000, "more than 8192 boxes"),
    ("AVIF", struct.pack(">I4sQ", 1, b"free", 16) * 10_000, "more than 8192 boxes"),
])  # fmt: skip
def test_files_of_many_small_parts_are_refused(pillow_format: str, data: bytes, message: str):
    with pytest.raises(TooManyPartsError, match=message):
        check_parts(data, pillow_format)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8\xff", b"GIF89a", b"\0" * 30, b"\xff" * 30, bytes(range(256))]
)
def test_what_is_damaged_is_left_to_the_decoder(data: bytes):
    for pillow_format in PILLOW_FORMATS.values():
        check_parts(data, pillow_format)


def scans_of(data: bytes) -> bytes:
    """The scans of a JPEG, with the tables between them."""
    return data[data.index(b"\xff\xda") : -2]


def test_scans_are_counted_and_nothing_that_looks_like_one():
    plain, progressive = jpeg(), jpeg(progressive=True)
    assert count_scans(plain) == 1
    scans = progressive.count(b"\xff\xda")  # no segment of this one holds these bytes
    assert scans > 3
    assert count_scans(progressive) == scans
    assert count_scans(progressive[:-2] + scans_of(progressive) * 9 + b"\xff\xd9") == 10 * scans
    hidden = jpeg(segment(0xE1, b"Exif\0\0" + plain), segment(0xFE, b"\xff\xda\xff\xd9"))
    assert count_scans(hidden) == 1
    assert count_scans(hidden + progressive + b"\xff\xda" * 1000) == 1  # another picture, or a film, behind the end


def test_an_end_that_is_none_hides_no_scan():
    """In a segment between two scans, and before the first one, where Pillow passes over it."""
    data = jpeg(b"\xff\xd9", progressive=True)
    scans = scans_of(data)
    hidden = segment(0xE5, b"\xff\xd9") + scans
    assert count_scans(data[:-2] + hidden * 5 + b"\xff\xd9") == 6 * count_scans(data)
