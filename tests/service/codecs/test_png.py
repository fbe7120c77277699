from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from service.codecs import png

SHAPES = [(28, 40, 1), (33, 28, 3), (28, 28, 4), (64, 64, 1), (128, 128, 4)]


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


def broken(kind: bytes, data: bytes = b"") -> bytes:
    """A chunk whose checksum is wrong."""
    whole = png.chunk(kind, data)
    return whole[:-1] + bytes([whole[-1] ^ 1])


HEAD = png.head((28, 28, 1))
STATIC, FRAME = png.chunk(b"IDAT", b"static"), png.chunk(b"fdAT", b"\0\0\0\2frame")
CONTROL, FRAME_CONTROL = png.chunk(b"acTL", bytes(8)), png.chunk(b"fcTL", bytes(26))


@pytest.mark.parametrize("kind", [b"iCCP", b"cLLI", b"tEXt", b"tRNS", b"prVt"])
def test_mending_leaves_out_ancillary_chunks_with_a_wrong_checksum(kind: bytes):
    whole = png.chunk(kind, b"whole")
    damaged = HEAD + broken(kind, b"damaged") + whole + STATIC + broken(kind) + png.END + b"behind"
    assert png.mend(damaged) == (HEAD + whole + STATIC + png.END + b"behind", [kind.decode()])


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"ABCD"])
def test_a_damaged_critical_chunk_is_named(kind: bytes):
    with pytest.raises(png.DamagedChunk, match=f"chunk {kind.decode()} is wrong"):
        png.mend(HEAD + broken(b"tEXt") + broken(kind) + png.END)


@pytest.mark.parametrize("kind", [b"acTL", b"fcTL", b"fdAT"])
def test_of_a_damaged_animation_the_static_image_is_left(kind: bytes):
    parts = [HEAD, CONTROL, FRAME_CONTROL, STATIC, FRAME_CONTROL, FRAME, broken(kind), png.END]
    assert png.mend(b"".join(parts)) == (HEAD + STATIC + png.END, [kind.decode()])


def test_a_whole_or_truncated_file_is_left_as_it_is():
    whole = HEAD + CONTROL + FRAME_CONTROL + STATIC + FRAME_CONTROL + FRAME + png.END
    for length in range(len(HEAD), len(whole) + 1):
        assert png.mend(whole[:length]) == (whole[:length], [])


def test_what_is_no_chunk_ends_the_mending():
    assert png.mend(HEAD + bytes(100)) == (HEAD + bytes(100), [])


def test_a_file_of_many_chunks_is_not_looked_through():
    """It is decoded in the event loop, which a million chunks would hold for a second."""

    class Looks(bytes):
        """A file that counts how often it is looked into."""

        count = 0

        def __getitem__(self, key: Any) -> Any:
            Looks.count += 1
            return super().__getitem__(key)

    pixels = np.zeros((32, 32, 1), np.uint8)
    plain, time = png.encode(pixels), png.chunk(b"tIME", bytes(7))
    start = len(png.head(pixels.shape))
    for count, expected in ((100, pixels), (100_000, None)):
        data = Looks(plain[:start] + time * count + plain[start:])
        np.testing.assert_array_equal(png.decode(data, pixels.shape), expected)
    assert Looks.count < 1000
