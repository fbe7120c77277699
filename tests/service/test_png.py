from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from service import png

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


@pytest.mark.parametrize("pixels", [make(shape) for make in (sprite, noise) for shape in SHAPES])
def test_what_is_written_is_what_pillow_reads(pixels: np.ndarray):
    data = png.encode(pixels)
    np.testing.assert_array_equal(by_pillow(data), pixels)


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
