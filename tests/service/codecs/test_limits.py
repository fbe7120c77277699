from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

from service.codecs.decode import Source, decode_images
from service.codecs.errors import ImageError
from tests.service.codecs.pictures import GREY, noise, read, saved


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
    with pytest.raises(ImageError) as caught:
        read(data, GREY)
    assert caught.value.status == 413


@pytest.mark.parametrize("size", [(32, 32), (33, 31)])
def test_images_have_a_limit_of_pixels_together(size: tuple[int, int]):
    sources = [Source(f"files[{index}]", saved(noise("L", size)), None) for index in range(3)]
    images, _ = decode_images(sources[:2], GREY, 16, 2 * 32 * 32)
    assert len(images) == 2
    with pytest.raises(ImageError, match=r"files\[2\]") as caught:
        decode_images(sources, GREY, 16, 2 * 32 * 32)
    assert caught.value.status == 413


def test_a_gif_frame_larger_than_its_canvas_is_measured_too():
    frames = [noise("L", (8, 8), seed) for seed in range(2)]
    data = bytearray(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    descriptor = data.rindex(b"\x2c\0\0\0\0\x08\0\x08\0")
    data[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 8000, 8000)
    with pytest.raises(ImageError, match="8000x8000") as caught:
        read(bytes(data), GREY)
    assert caught.value.status == 413


def run_lengths(body: bytes, side: int = 32) -> bytes:
    """A BMP of 8 bits whose pixels are run lengths (BI_RLE8)."""
    palette = b"".join(bytes((each, each, each, 0)) for each in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0) + palette
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + body


def test_run_lengths_are_read_and_cost_more_than_pixels():
    row = b"\x20\x07\0\0"  # 32 times 7, end of line
    data = run_lengths(row * 32 + b"\0\1")
    pixels, converted = read(data, GREY)
    assert (pixels == 7).all()
    assert converted == [[]]
    cost = 32 * 32 + 16 * len(data)
    sources = [Source(f"files[{index}]", data, None) for index in range(2)]
    decode_images(sources, GREY, 16, 2 * cost)
    with pytest.raises(ImageError, match=r"files\[1\]: \d+ bytes of run lengths") as caught:
        decode_images(sources, GREY, 16, 2 * cost - 1)
    assert caught.value.status == 413


def test_a_bmp_of_many_pixels_is_refused_by_its_header():
    with pytest.raises(ImageError, match="600x600") as caught:
        read(run_lengths(b"", 600), GREY)
    assert caught.value.status == 413


def multi_scan_jpeg(side: int, scans: int, *, pictures: int = 1) -> bytes:
    """A progressive JPEG whose scans are there again and again; with several ``pictures``, Pillow calls it MPO."""
    black = Image.new("L", (side, side))
    data = saved(black, "JPEG", progressive=True)
    if pictures > 1:
        data = saved(black, "MPO", progressive=True, save_all=True, append_images=[black] * (pictures - 1))
    start, end = data.index(b"\xff\xda"), data.index(b"\xff\xd9")
    again = data[start:end]
    return data[:start] + again * -(-scans // again.count(b"\xff\xda")) + data[end:]


@pytest.mark.parametrize("pictures", [1, 2])
def test_a_jpeg_of_many_scans_is_refused_whatever_pictures_are_in_it(pictures: int):
    """All kinds may go eight times over as many pixels as a request may have: here 256x256."""
    pixels, _ = read(multi_scan_jpeg(256, 8, pictures=pictures), GREY)
    assert len(pixels) == 1
    with pytest.raises(ImageError, match=r"2\d scans of 512x512") as caught:
        read(multi_scan_jpeg(512, 20, pictures=pictures), GREY)
    assert caught.value.status == 413


def test_scans_of_a_requests_images_count_together():
    data = multi_scan_jpeg(256, 8)
    sources = [Source(f"files[{index}]", data, None) for index in range(4)]
    with pytest.raises(ImageError, match=r"files\[\d\]: \d+ scans of 256x256 pixels; all .* 2097152 together"):
        decode_images(sources, GREY, 16, 2**18)
    images, _ = decode_images(sources, GREY, 16, 2**20)
    assert len(images) == 4


@pytest.mark.parametrize("part", [b"\xff\xe1\0\x08Exif\0\0", b"\xff\xe4\0\2", b"\xff", b"\xff\0"])
def test_a_jpeg_of_many_parts_is_refused_before_it_is_opened(part: bytes, monkeypatch: pytest.MonkeyPatch):
    data = saved(noise("L"), "JPEG")
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(ImageError, match=r"the body: JPEG of more than \d+") as caught:
        read(data[:2] + part * 20_000 + data[2:], GREY)
    assert caught.value.status == 413


def avif_of(side: int, declared: int, frames: int = 1) -> bytes:
    """An AVIF of black frames that says it has another size."""
    black = [Image.new("L", (side, side)) for _ in range(frames)]
    data = saved(black[0], "AVIF", speed=10, save_all=frames > 1, append_images=black[1:])
    return data.replace(
        struct.pack(">4sIII", b"ispe", 0, side, side), struct.pack(">4sIII", b"ispe", 0, declared, declared)
    )


def test_an_avif_is_refused_by_the_size_of_its_av1_whatever_it_says():
    with pytest.raises(ImageError, match="AV1 of 1 frames of up to 1048576 pixels") as caught:
        read(avif_of(1024, 32), GREY)
    assert caught.value.status == 413
    with pytest.raises(ImageError, match="1024x1024") as caught:
        read(avif_of(32, 1024), GREY)
    assert caught.value.status == 413


def test_an_avif_is_refused_by_the_number_of_its_frames():
    data = avif_of(32, 32, 40)
    sources = [Source("the body", data, None)]
    images, _ = decode_images(sources, GREY, 40, 40 * 32 * 32)
    assert len(images) == 40
    with pytest.raises(ImageError, match="40 frames; accepts at most 39") as caught:
        decode_images(sources, GREY, 39, 40 * 32 * 32)
    assert caught.value.status == 413
    with pytest.raises(ImageError, match="AV1 of 41 frames of up to 1024 pixels"):
        decode_images(sources, GREY, 40, 5 * 32 * 32)
