from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from export.manifest import ImageSpec
from service.codecs.decode import PILLOW_FORMATS, Source, decode_images
from service.problems import Problem

GREY = ImageSpec(height=32, width=32, channels=1)
COLOUR = ImageSpec(height=28, width=40, channels=3)
ALPHA = ImageSpec(height=32, width=32, channels=4)


def saved(image: Image.Image, pillow_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, pillow_format, **options)
    return out.getvalue()


def noise(mode: str, size: tuple[int, int] = (32, 32), seed: int = 0) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], channels), np.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, mode)


def read(data: bytes, spec: ImageSpec, media: str | None = None) -> tuple[np.ndarray, list[list[str]]]:
    images, converted = decode_images([Source("the body", data, media)], spec, 16, 2**18)
    return np.rint(images * 255).astype(np.uint8).transpose(0, 2, 3, 1), converted


@pytest.mark.parametrize(("mode", "spec"), [("L", GREY), ("RGBA", ALPHA)])
def test_an_image_as_the_model_has_them_is_taken_exactly(mode: str, spec: ImageSpec):
    image = noise(mode)
    pixels, converted = read(saved(image), spec)
    np.testing.assert_array_equal(pixels[0].squeeze(), np.asarray(image))
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
    assert converted == [["16 bits to 8"]]


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


@pytest.mark.parametrize(("pillow_format", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_every_frame_of_an_animation_is_one_item(pillow_format: str, options: dict[str, object]):
    frames = [noise("RGB", (40, 28), seed) for seed in range(3)]
    if pillow_format == "GIF":
        frames = [frame.quantize(16).convert("RGB") for frame in frames]
    data = saved(frames[0], pillow_format, save_all=True, append_images=frames[1:], duration=50, **options)
    pixels, converted = read(data, COLOUR)
    assert len(pixels) == len(converted) == 3
    for found, frame in zip(pixels, frames, strict=True):
        np.testing.assert_array_equal(found, np.asarray(frame))


def test_a_default_image_is_no_frame_of_its_apng():
    frames = [Image.new("L", (32, 32), 10 * index) for index in range(3)]
    data = saved(frames[0], save_all=True, append_images=frames[1:], default_image=True)
    pixels, _ = read(data, GREY)
    assert pixels[:, 0, 0, 0].tolist() == [10, 20]


def png_header(width: int, height: int, frames: int = 1) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    animation = chunk(b"acTL", struct.pack(">II", frames, 0)) if frames > 1 else b""
    return b"\x89PNG\r\n\x1a\n" + header + animation + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data", [png_header(100_000, 100_000), png_header(10_000, 10_000), png_header(32, 32, 2**30), png_header(8, 8, 17)]
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_too_large_is_refused_by_its_header(data: bytes):
    with pytest.raises(Problem) as caught:
        read(data, GREY)
    assert caught.value.status_code == 413


@pytest.mark.parametrize("size", [(32, 32), (33, 31)])
def test_images_have_a_limit_of_pixels_together(size: tuple[int, int]):
    sources = [Source(f"files[{index}]", saved(noise("L", size)), None) for index in range(3)]
    images, _ = decode_images(sources[:2], GREY, 16, 2 * 32 * 32)
    assert len(images) == 2
    with pytest.raises(Problem, match=r"files\[2\]") as caught:
        decode_images(sources, GREY, 16, 2 * 32 * 32)
    assert caught.value.status_code == 413


def test_a_gif_frame_larger_than_its_canvas_is_measured_too():
    frames = [noise("L", (8, 8), seed) for seed in range(2)]
    data = bytearray(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    descriptor = data.rindex(b"\x2c\0\0\0\0\x08\0\x08\0")
    data[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 8000, 8000)
    with pytest.raises(Problem, match="8000x8000") as caught:
        read(bytes(data), GREY)
    assert caught.value.status_code == 413


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4", b"GIF8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
@pytest.mark.parametrize("media", [None, *PILLOW_FORMATS])
def test_what_is_no_image_is_a_400_that_says_where(data: bytes, media: str | None):
    with pytest.raises(Problem, match="the body") as caught:
        read(data, GREY, media)
    assert caught.value.status_code == 400


def test_another_format_than_the_content_type_says_is_refused():
    with pytest.raises(Problem, match="no JPEG") as caught:
        read(saved(noise("L")), GREY, "image/jpeg")
    assert caught.value.status_code == 400


def samples() -> dict[str, bytes]:
    frames = [noise("RGB", (24, 20), seed).quantize(8) for seed in range(3)]
    smooth = Image.fromarray(np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8) * 4)
    more = {"save_all": True, "append_images": frames[1:], "duration": 50}
    return {
        "image/png": saved(smooth),
        "image/jpeg": saved(smooth.convert("RGB"), "JPEG"),
        "image/webp": saved(smooth, "WEBP"),
        "image/gif": saved(frames[0], "GIF", **more),
        "image/apng": saved(frames[0], "PNG", **more),
    }


def damaged(data: bytes) -> Iterator[bytes]:
    for place in range(0, len(data), 10):
        yield data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        yield data[:place]


def oracle(data: bytes, media: str) -> int:
    """The status that Pillow's strict decoder asks for; 413 where damage made an image larger than the limit."""
    try:
        with Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[media]]) as image:
            frames = 1 if media == "image/jpeg" else getattr(image, "n_frames", 1)
            for index in range(frames):
                image.seek(index)
                if image.width * image.height * (frames - index) > 2**18:
                    return 413
                image.load()
    except Image.DecompressionBombError:
        return 413
    except Exception:
        return 400
    return 200


@pytest.mark.parametrize("media", PILLOW_FORMATS)
@pytest.mark.filterwarnings("ignore")
def test_damaged_images_are_refused_exactly_where_pillow_refuses_them(client: TestClient, media: str):
    whole = samples()[media]
    seen = set()
    for data in damaged(whole):
        response = client.post("/encode", content=data, headers={"Content-Type": media})
        assert response.status_code == oracle(data, media), response.text
        seen.add(response.status_code)
    assert 400 in seen
    assert client.post("/encode", content=whole, headers={"Content-Type": media}).status_code == 200
