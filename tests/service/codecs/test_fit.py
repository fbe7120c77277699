from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from service.codecs import png
from service.codecs.fit import fit
from service.codecs.png import Shape
from tests.service.codecs.pictures import ALPHA, COLOUR, GREY, noise, read, saved


@pytest.mark.parametrize(("mode", "shape"), [("L", GREY), ("RGBA", ALPHA)])
def test_an_image_as_the_model_has_them_is_taken_exactly(mode: str, shape: Shape):
    image = noise(mode)
    pixels, converted = read(saved(image), shape)
    shown = np.asarray(image).copy()
    if mode == "RGBA":
        shown[shown[..., 3] == 0] = 0  # nobody sees the colour there
    np.testing.assert_array_equal(pixels[0].squeeze(), shown)
    assert converted == [[]]


def test_resizing_averages_areas_and_enlarging_repeats_pixels():
    image = noise("L", (64, 128))
    pixels, converted = read(saved(image), GREY)
    areas = np.asarray(image, float).reshape(32, 4, 32, 2).mean(axis=(1, 3))
    assert np.abs(pixels[0, :, :, 0] - areas).max() <= 1
    assert converted == [["resized 64x128 to 32x32"]]
    small = noise("L", (16, 8))
    pixels, _ = read(saved(small), GREY)
    np.testing.assert_array_equal(pixels[0, :, :, 0], np.asarray(small).repeat(4, axis=0).repeat(2, axis=1))


def test_colour_becomes_grey_by_luma():
    image = Image.new("RGB", (32, 32), (200, 100, 50))
    pixels, converted = read(saved(image), GREY)
    assert abs(int(pixels[0, 0, 0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 0.5
    assert converted == [["RGB to grey"]]


def test_alpha_is_composited_on_black_where_the_model_has_none():
    image = Image.new("RGBA", (40, 28), (200, 100, 50, 51))
    pixels, converted = read(saved(image), COLOUR)
    assert pixels[0, 0, 0].tolist() == [40, 20, 10]
    assert converted == [["alpha composited on black"]]


def test_alpha_is_kept_where_the_model_has_it_and_opaque_where_the_image_has_none():
    pixels, _ = read(saved(Image.new("RGBA", (32, 32), (200, 100, 50, 51))), ALPHA)
    assert pixels[0, 0, 0].tolist() == [200, 100, 50, 51]
    pixels, converted = read(saved(Image.new("L", (32, 32), 7)), ALPHA)
    assert pixels[0, 0, 0].tolist() == [7, 7, 7, 255]
    assert converted == [["opaque alpha added", "grey to RGB"]]


def test_palettes_bilevel_and_cmyk_images_are_converted():
    coloured = Image.new("RGB", (40, 28), (200, 100, 50))
    pixels, converted = read(saved(coloured.convert("P", palette=Image.Palette.ADAPTIVE)), COLOUR)
    assert pixels[0, 0, 0].tolist() == [200, 100, 50]
    assert converted == [["palette to RGB"]]
    pixels, converted = read(saved(Image.new("1", (32, 32), 1)), GREY)
    assert (pixels == 255).all()
    assert converted == [["1-bit to grey"]]
    pixels, converted = read(saved(Image.new("CMYK", (40, 28), (0, 255, 255, 0)), "JPEG"), COLOUR)
    assert np.abs(pixels[0, 0, 0].astype(int) - [255, 0, 0]).max() <= 3
    assert converted == [["CMYK to RGB"]]


def test_16_bits_are_scaled_to_8():
    values = np.full((32, 32), 65535, np.uint16)
    values[0, 0] = 257 * 100
    pixels, converted = read(saved(Image.fromarray(values)), GREY)
    assert pixels[0, 0, :2, 0].tolist() == [100, 255]
    assert converted == [["16 bits to 8: values 25700..65535 of 65535"]]


def test_large_images_of_16_bits_are_scaled_in_little_memory():
    """Beside 8 bits of each pixel, what is allocated doesn't grow with the image."""
    values = np.random.default_rng(0).integers(100, 60_000, (1500, 2000), np.uint16)
    values[700, 5], values[-1, -1] = 7, 65_000
    picture = Image.fromarray(values)
    tracemalloc.start()
    pixels, notes = fit(picture, (1500, 2000, 1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(pixels[:, :, 0], (values.astype(int) + 128) // 257)
    assert notes == ["16 bits to 8: values 7..65000 of 65535"]
    assert peak < 6 * values.size


def test_the_range_of_16_bits_tells_why_an_image_is_black():
    values = np.arange(1024, dtype=np.uint16).reshape(32, 32) % 256
    pixels, converted = read(saved(Image.fromarray(values)), GREY)
    assert pixels.max() <= 1
    assert converted == [["16 bits to 8: values 0..255 of 65535"]]


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bits_of_colour_and_alpha_are_said_too(colour_type: int, channels: int):
    rows = np.zeros((32, 1 + 32 * channels * 2), np.uint8).tobytes()
    header = png.chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 16, colour_type, 0, 0, 0))
    data = png.SIGNATURE + header + png.chunk(b"IDAT", zlib.compress(rows)) + png.END
    _, converted = read(data, GREY)
    assert converted[0][0] == "16 bits to 8"


def test_transparency_of_a_palette_is_alpha():
    image = Image.new("P", (32, 32), 3)
    image.putpalette([255] * 768)
    pixels, converted = read(saved(image, transparency=3), GREY)
    assert not pixels.any()
    assert converted == [["alpha composited on black", "palette to grey"]]


def test_exif_orientation_is_applied():
    image = noise("L", (16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    pixels, converted = read(saved(image, exif=exif), GREY)
    plain, _ = read(saved(image.transpose(Image.Transpose.ROTATE_270)), GREY)
    np.testing.assert_array_equal(pixels, plain)
    assert converted == [["turned by its EXIF orientation", "resized 32x16 to 32x32"]]
