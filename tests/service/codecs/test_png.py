from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from export.manifest import ImageSpec
from service.codecs import png
from service.codecs.decode import Source, decode_images
from service.problems import Problem

SHAPES = [(28, 40, 1), (33, 28, 3), (28, 28, 4), (64, 64, 1), (128, 128, 4)]
Verdict = tuple[bytes, list[list[str]]] | int


def sprite(shape: tuple[int, int, int]) -> np.ndarray:
    """A flat ellipse before a slope."""
    height, width, channels = shape
    slope = np.add.outer(np.arange(height), 3 * np.arange(width)).clip(0, 255).astype(np.uint8)
    image = Image.merge("RGBA", [Image.fromarray(slope // part) for part in (1, 2, 3, 4)])
    ImageDraw.Draw(image).ellipse((4, 6, width // 2, height - 9), fill=(200, 90, 30, 128))
    return np.asarray(image)[:, :, :channels]


def noise(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def saved(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG", **options)
    return out.getvalue()


def by_pillow(data: bytes) -> np.ndarray | None:
    """The pixels [H, W, C] that Pillow's strict decoder finds, if it takes the file."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            image.load()
            pixels = np.asarray(image)
    except Exception:
        return None
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def paeth(left: int, above: int, corner: int) -> int:
    """https://www.w3.org/TR/png-3/#9Filter-type-4-Paeth"""
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def filtered(pixels: np.ndarray, filters: list[int]) -> bytes:
    """Rows with the filter asked for, by the definitions of the standard."""
    height, width, channels = pixels.shape
    rows = np.zeros((height + 1, channels + width * channels), int)
    rows[1:, channels:] = pixels.reshape(height, -1)
    out = bytearray()
    for row, kind in enumerate(filters, 1):
        out.append(kind)
        for at in range(channels, rows.shape[1]):
            left, above, corner = rows[row, at - channels], rows[row - 1, at], rows[row - 1, at - channels]
            guess = [0, left, above, (left + above) // 2, paeth(left, above, corner)][kind] if kind < 5 else 0
            out.append((rows[row, at] - guess) % 256)
    return bytes(out)


def file(shape: tuple[int, int, int], *chunks: tuple[bytes, bytes]) -> bytes:
    return b"".join([png.head(shape), *(png.chunk(kind, data) for kind, data in chunks), png.END])


def with_filters(pixels: np.ndarray, filters: list[int]) -> bytes:
    return file(pixels.shape, (b"IDAT", zlib.compress(filtered(pixels, filters))))


@pytest.mark.parametrize("pixels", [make(shape) for make in (sprite, noise) for shape in SHAPES])
def test_what_is_written_is_what_pillow_and_the_fast_decoder_read(pixels: np.ndarray):
    data = png.encode(pixels)
    np.testing.assert_array_equal(by_pillow(data), pixels)
    np.testing.assert_array_equal(png.decode(data, pixels.shape), pixels)


def test_the_same_pixels_give_the_same_bytes_however_they_lie_in_memory():
    pixels = sprite((33, 28, 3))
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    assert png.encode(planes) == png.encode(pixels) == png.encode(pixels.copy())


@pytest.mark.parametrize("shape", SHAPES)
def test_files_of_sprites_are_no_larger_than_pillows_fastest(shape: tuple[int, int, int]):
    height, width, channels = shape
    image = Image.new("RGBA", (width, height))
    ImageDraw.Draw(image).ellipse((4, 6, width // 2, height - 9), fill=(200, 90, 30, 255))
    flat = np.asarray(image)[:, :, :channels]
    assert len(png.encode(flat)) <= len(saved(flat, compress_level=1))


def test_colours_that_are_not_flat_are_filtered():
    slopes = np.add.outer(np.arange(64), 3 * np.arange(64))
    pixels = np.stack([slopes, slopes // 2, 255 - slopes], axis=2).astype(np.uint8)
    bare = zlib.compress(filtered(pixels, [0] * 64), 9)
    assert len(png.encode(pixels)) < len(bare)


@pytest.mark.parametrize(
    "write",
    [
        png.encode,
        saved,
        lambda pixels: saved(pixels, optimize=True),
        lambda pixels: saved(pixels, compress_level=0),
        lambda pixels: with_filters(pixels, [1] * len(pixels)),  # as OpenCV does
        lambda pixels: with_filters(pixels, [2] * len(pixels)),
        lambda pixels: with_filters(pixels, [0] * (len(pixels) - 1) + [1]),
        lambda pixels: with_filters(pixels, [1] * (len(pixels) - 1) + [0]),
        lambda pixels: with_filters(pixels, [row % 5 for row in range(len(pixels))]),
    ],
)
@pytest.mark.parametrize("pixels", [make(shape) for make in (sprite, noise) for shape in SHAPES])
def test_files_of_the_models_shape_are_read_without_pillows_reader(
    pixels: np.ndarray, write: Callable[[np.ndarray], bytes]
):
    np.testing.assert_array_equal(png.decode(write(pixels), pixels.shape), pixels)


def test_metadata_that_changes_no_pixel_is_passed_over():
    pixels = sprite((28, 40, 1))
    data = png.compress(pixels)
    metadata = [(b"gAMA", bytes(4)), (b"sRGB", b"\0"), (b"sBIT", b"\x08"), (b"pHYs", bytes(9)), (b"tIME", bytes(7))]
    made = file(pixels.shape, *metadata, (b"IDAT", data[:9]), (b"IDAT", b""), (b"IDAT", data[9:]))
    np.testing.assert_array_equal(png.decode(made, pixels.shape), pixels)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"tRNS", b"\0\0")],
        [(b"tEXt", b"interlace\0yes")],
        [(b"tEXt", b"transparency\0yes")],
        [(b"eXIf", b"MM\0*")],
        [(b"acTL", struct.pack(">II", 1, 0))],
        [(b"gAMA", b"\0\0\0")],
        [(b"PLTE", bytes(3))],
        [(b"abcd", b"")],
    ],
)
def test_what_may_change_pixels_is_left_to_pillow(chunks: list[tuple[bytes, bytes]]):
    pixels = sprite((28, 40, 1))
    data = (b"IDAT", png.compress(pixels))
    assert png.decode(file(pixels.shape, data), pixels.shape) is not None
    assert png.decode(file(pixels.shape, *chunks, data), pixels.shape) is None
    assert png.decode(file(pixels.shape, data, *chunks), pixels.shape) is None


def damaged() -> dict[str, bytes]:
    shape = (28, 40, 1)
    stream = png.compress(sprite(shape))
    gamma, first, rest = (
        png.chunk(*each) for each in ((b"gAMA", bytes(4)), (b"IDAT", stream[:50]), (b"IDAT", stream[50:]))
    )
    start, good = png.head(shape), png.head(shape) + gamma + first + rest
    assert png.decode(good + png.END, shape) is not None
    return {
        "checksum of metadata": start + gamma[:-1] + b"\0" + first + rest + png.END,
        "checksum of data": good[:-1] + bytes([good[-1] ^ 1]) + png.END,
        "data not in a row": start + first + gamma + rest + png.END,
        "metadata after the data": start + first + rest + gamma + png.END,
        "no data": start + gamma + png.END,
        "data without an end": start + first + png.END,
        "data without their checksum": file(shape, (b"IDAT", stream[:-4])),
        "data with another checksum": file(shape, (b"IDAT", stream[:-1] + bytes([stream[-1] ^ 1]))),
        "a chunk longer than the file": good + png.chunk(b"IDAT", bytes(99))[:8] + png.END,
        "no end": good,
        "end with another checksum": good + png.END[:-1] + b"\0",
        "more after the end": good + png.END + b"\0",
    }


@pytest.mark.parametrize("what", damaged())
def test_what_is_damaged_is_left_to_pillow(what: str):
    assert png.decode(damaged()[what], (28, 40, 1)) is None


@pytest.mark.parametrize("shape", [(40, 28, 1), (28, 40, 3), (28, 40, 4), (29, 40, 1)])
def test_another_shape_than_the_models_is_left_to_pillow(shape: tuple[int, int, int]):
    assert png.decode(png.encode(sprite(shape)), (28, 40, 1)) is None


def test_data_that_inflate_to_more_than_the_image_are_not_inflated():
    bomb = file((64, 64, 1), (b"IDAT", zlib.compress(bytes(2**26), 9)))
    tracemalloc.start()
    assert png.decode(bomb, (64, 64, 1)) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def real_files() -> list[tuple[bytes, np.ndarray]]:
    images = [sprite(shape) for shape in [(28, 40, 1), (33, 28, 3), (28, 28, 4)]]
    return [
        (data, image) for image in images for data in (png.encode(image), saved(image), saved(image, optimize=True))
    ]


def never_accepts_more_than_pillow(data: bytes, shape: tuple[int, int, int]) -> None:
    fast = png.decode(data, shape)
    if fast is not None:
        np.testing.assert_array_equal(fast, by_pillow(data))


@pytest.mark.parametrize(("data", "pixels"), real_files())
def test_truncated_files_are_all_left_to_pillow(data: bytes, pixels: np.ndarray):
    for length in np.linspace(0, len(data) - 1, 200, dtype=int):
        assert png.decode(data[:length], pixels.shape) is None


@pytest.mark.parametrize(("data", "pixels"), real_files())
def test_flipped_bits_are_never_accepted_where_pillow_refuses_them(data: bytes, pixels: np.ndarray):
    rng = np.random.default_rng(len(data))
    for _ in range(2000):
        flipped = bytearray(data)
        flipped[rng.integers(len(data))] ^= 1 << rng.integers(8)
        never_accepts_more_than_pillow(bytes(flipped), pixels.shape)


@pytest.mark.parametrize(("data", "pixels"), real_files())
def test_flipped_bits_under_a_right_checksum_are_never_accepted_where_pillow_refuses_them(
    data: bytes, pixels: np.ndarray
):
    rng = np.random.default_rng(len(data))
    stream = data[41:-16]
    assert data == file(pixels.shape, (b"IDAT", stream))
    for _ in range(2000):
        flipped = bytearray(stream)
        flipped[rng.integers(len(stream))] ^= 1 << rng.integers(8)
        never_accepts_more_than_pillow(file(pixels.shape, (b"IDAT", bytes(flipped))), pixels.shape)


METADATA = [
    (b"gAMA", bytes(4)),
    (b"gAMA", bytes(3)),
    (b"cHRM", bytes(32)),
    (b"pHYs", bytes(8)),
    (b"pHYs", bytes(9)),
    (b"sRGB", b""),
    (b"sRGB", b"\x01"),
    (b"sBIT", b"\x05"),
    (b"bKGD", b"\0\x01"),
    (b"tIME", bytes(7)),
    (b"iCCP", b"name\0\0" + zlib.compress(b"profile")),
    (b"iCCP", b"name\0\x01"),
    (b"tEXt", b"Software\0spritevae"),
    (b"tEXt", b"interlace\0yes"),
    (b"tEXt", b"transparency\0yes"),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"text")),
    (b"zTXt", b"Comment\0\x01"),
    (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>"),
    (b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    (b"tRNS", b"\0\x01"),
    (b"tRNS", bytes(6)),
    (b"PLTE", bytes(768)),
    (b"acTL", struct.pack(">II", 1, 0)),
    (b"acTL", struct.pack(">II", 2, 0)),
    (b"fcTL", struct.pack(">IIIIIHHBB", 0, 28, 28, 0, 0, 1, 10, 0, 0)),
    (b"abcd", b"private"),
    (b"ABCD", b"critical"),
    (b"IEND", b""),
    (b"IDAT", b""),
    (b"IHDR", bytes(13)),
    (b"\xff\0\0\0", b""),
]


ODDITIES = ["header", "filter", "rows", "end", "bit", "metadata", "checksum", "file"]
HEADERS = [  # height, bits, colour type, compression, filters, interlace
    *[(28, 8, colour, 0, 0, 0) for colour in (0, 2, 3, 4, 6, 7)],
    *[(28, bits, 0, 0, 0, 0) for bits in (0, 1, 4, 16)],
    *[(29, 8, 0, 0, 0, 0), (0, 8, 0, 0, 0, 0), (28, 8, 0, 1, 0, 0), (28, 8, 0, 0, 1, 0), (28, 8, 0, 0, 0, 1)],
]


@st.composite
def streams(draw: st.DrawFn, channels: int, odd: set[str]) -> bytes:
    """A zlib stream of the rows of an image 28x28, as good as ``odd`` allows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.integers(0, draw(st.sampled_from([2, 16, 256])), (28, 1 + 28 * channels), np.uint8)
    rows[:, 0] = rng.integers(0, 5, 28) if draw(st.booleans()) else draw(st.integers(0, 4))
    if "filter" in odd:
        rows[draw(st.integers(0, 27)), 0] = draw(st.integers(5, 255))
    data = rows.tobytes()
    if "rows" in odd:
        data = draw(st.sampled_from([b"", data[:-1], data[: 5 * rows.shape[1]], data + b"\0", data * 9]))
    level, window, strategy = draw(st.integers(0, 9)), draw(st.integers(9, 15)), draw(st.integers(0, 4))
    deflate = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    cut = draw(st.integers(0, len(data)))
    stream = deflate.compress(data[:cut]) + deflate.flush(zlib.Z_SYNC_FLUSH) + deflate.compress(data[cut:])
    stream += deflate.flush()
    if "end" in odd:
        stream = draw(
            st.sampled_from([stream[:-1], stream[:-4], stream[:-5], stream[:-50], stream + b"\0", stream * 2])
        )
    return flip(draw, stream) if "bit" in odd else stream


@st.composite
def files(draw: st.DrawFn) -> tuple[int, bytes]:
    """The channels of a model, and a file that suits it or is odd in up to two ways."""
    channels = draw(st.sampled_from([1, 3, 4]))
    odd = draw(st.sets(st.sampled_from(ODDITIES), max_size=2))
    stream = draw(streams(channels, odd))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=3)))
    chunks = [(b"IDAT", stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    if "metadata" in odd:
        for extra in draw(st.lists(st.sampled_from(METADATA), min_size=1, max_size=2)):
            chunks.insert(draw(st.sampled_from([0, 0, len(chunks), len(chunks) // 2])), extra)
    usual = (28, 8, png.COLOUR_TYPES[channels], 0, 0, 0)
    header = draw(st.sampled_from(HEADERS)) if "header" in odd else usual
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 28, *header)), *chunks, (b"IEND", b"")]
    made = [png.chunk(kind, part) for kind, part in parts]
    if "checksum" in odd:
        place = draw(st.integers(0, len(made) - 1))
        made[place] = made[place][:-4] + flip(draw, made[place][-4:])
    data = png.SIGNATURE + b"".join(made)
    if "file" in odd:
        cut = draw(st.sampled_from([draw(st.integers(0, len(data))), len(data) - 12, len(data) - 4, len(data) - 1]))
        data = draw(st.sampled_from([data[:cut], flip(draw, data), data + b"trailing", data + png.END]))
    return channels, data


def flip(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one bit changed."""
    place = draw(st.integers(0, len(data) - 1))
    return data[:place] + bytes([data[place] ^ 1 << draw(st.integers(0, 7))]) + data[place + 1 :]


def verdict(data: bytes, spec: ImageSpec) -> Verdict:
    """The pixels and what was converted, or the status of the refusal."""
    try:
        images, converted = decode_images([Source("the body", data, "image/png")], spec, 4, 2**14)
    except Problem as problem:
        return problem.status_code
    return images.tobytes(), converted


@settings(max_examples=1000, deadline=None)
@given(files())
@pytest.mark.filterwarnings("ignore")
def test_both_ways_of_reading_give_the_same_verdict_and_the_same_pixels(made: tuple[int, bytes]):
    channels, data = made
    spec = ImageSpec(height=28, width=28, channels=channels)
    with patch.object(png, "decode", return_value=None):
        by_pillow_alone = verdict(data, spec)
    assert verdict(data, spec) == by_pillow_alone


def test_a_file_of_a_million_chunks_is_told_by_its_first_thousands():
    class Looks(bytes):
        """A file that counts how often it is looked into."""

        count = 0

        def __getitem__(self, key: Any) -> Any:
            Looks.count += 1
            return super().__getitem__(key)

    many = Looks(png.SIGNATURE + png.chunk(b"IHDR", b"x" * 13) + png.chunk(b"teSt", b"") * 1_300_000)
    assert not png.few_chunks(many)
    assert Looks.count <= png.MAX_CHUNKS
    assert png.few_chunks(many[:90_000])
    assert png.few_chunks(png.SIGNATURE + b"\xff" * 50)
