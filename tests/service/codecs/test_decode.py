from __future__ import annotations

import base64
import csv
import io
import logging
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import AvifImagePlugin, Image, PngImagePlugin
from starlette.testclient import TestClient

from service.codecs import png
from service.codecs.decode import MAX_TEXT_BYTES, PILLOW_FORMATS, UNKNOWN, Source, decode_images, limit_pillow
from service.codecs.errors import ImageError
from tests.service.codecs.pictures import COLOUR, GREY, noise, read, saved
from tests.support import ROOT


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


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4", b"GIF8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
@pytest.mark.parametrize("media", [None, *PILLOW_FORMATS])
def test_what_is_no_image_is_a_400_that_says_where(data: bytes, media: str | None):
    with pytest.raises(ImageError, match="the body") as caught:
        read(data, GREY, media)
    assert caught.value.status == 400


def with_chunk(data: bytes, kind: bytes, content: bytes = b"?", *, before: bytes = b"IDAT") -> bytes:
    """A PNG with one chunk more, whose checksum is wrong, before its first one of a kind."""
    place = data.index(before) - 4
    return data[:place] + png.chunk(kind, content)[:-4] + b"\0\0\0\0" + data[place:]


@pytest.mark.parametrize("kind", [b"iCCP", b"cLLI", b"tEXt", b"tRNS", b"gAMA", b"eXIf", b"acTL"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_is_read_without_a_damaged_ancillary_chunk(kind: bytes, interlaced: bool):
    picture = noise("L")
    plain = saved(picture)
    if interlaced:  # of 1 pixel, as Pillow writes none: what the fast decoder does not read
        picture = Image.new("L", (1, 1), 7)
        header = png.chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1))
        plain = png.SIGNATURE + header + png.chunk(b"IDAT", zlib.compress(b"\0\7")) + png.END
    pixels, converted = read(with_chunk(plain, kind), GREY)
    expected, notes = read(plain, GREY)
    np.testing.assert_array_equal(pixels, expected)
    assert converted == [[f"damaged chunks skipped: {kind.decode()}", *notes[0]]]


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT", b"IEND"])
def test_a_damaged_critical_chunk_of_a_png_is_named_in_the_error(kind: bytes):
    """The one that is damaged comes first and Pillow refuses it; of image data Pillow checks no checksum, but these."""
    data = bytearray(saved(noise("L").quantize(8)))
    place = data.index(kind)
    length = struct.unpack_from(">I", data, place - 4)[0]
    if kind == b"IDAT":
        data[place + 10] ^= 0xFF
    elif kind == b"IEND":
        data = data[: data.index(b"IDAT") - 4] + data[place - 4 :]
        place = data.index(kind)
    data[place + 4 + length] ^= 1
    with pytest.raises(
        ImageError, match=f"the body: damaged: the checksum of its chunk {kind.decode()} is wrong"
    ) as caught:
        read(bytes(data), GREY)
    assert caught.value.status == 400


def test_a_damaged_animation_is_its_static_image_as_in_browsers():
    frames = [noise("L", seed=seed) for seed in range(3)]
    data = bytearray(saved(frames[0], save_all=True, append_images=frames[1:]))
    data[data.rindex(b"fdAT") + 30] ^= 0xFF
    pixels, converted = read(bytes(data), GREY)
    assert len(pixels) == 1
    np.testing.assert_array_equal(pixels[0, :, :, 0], np.asarray(frames[0]))
    assert converted == [["damaged chunks skipped: fdAT"]]


def test_pixels_of_a_damaged_file_count_once():
    data = with_chunk(saved(noise("RGB")), b"iCCP")
    images, _ = decode_images([Source("the body", data, None)], GREY, 16, 32 * 32)
    assert len(images) == 1


def test_a_file_of_many_damaged_chunks_names_a_few():
    kinds = [bytes((97, a, b, 97)) for a in range(97, 123) for b in range(65, 91)]
    data = saved(noise("L"))
    for kind in kinds:
        data = with_chunk(data, kind)
    _, converted = read(data, GREY)
    assert len(converted[0][0]) < 100


def test_pillow_gets_the_limit_of_text_in_a_file_and_one_thread(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", 0)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 2**62)
    limit_pillow()
    assert PngImagePlugin.MAX_TEXT_MEMORY == MAX_TEXT_BYTES
    assert AvifImagePlugin.DEFAULT_MAX_THREADS == 1


def test_wrong_entries_of_exif_are_not_logged(caplog: pytest.LogCaptureFixture):
    """A client could fill the log with them, and Python would keep each text for ever."""
    entries = b"".join(struct.pack("<HHLL", tag, 2, 2**30, 8) for tag in range(100))
    exif = b"II\x2a\0\x08\0\0\0" + struct.pack("<H", 100) + entries + bytes(4)
    data = saved(noise("L"))
    data = data[:33] + png.chunk(b"eXIf", exif) + data[33:]
    limit_pillow()
    logging.captureWarnings(True)
    assert read(data, GREY)[1] == [[]]
    assert caplog.records == []


def test_real_files_are_read_as_another_decoder_reads_them(image_files: Path):
    """Two pixels of the first frame of each, within the tolerance that the list says."""
    colours: dict[str, list[str]] = {}
    with (image_files / "manifest.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    for name in (
        "png_bad_crc_iccp.png",
        "bmp_rle8.bmp",
        "png_rgba16_interlaced.png",
        "png_trailing_36k_junk.png",
        "avif_alpha.avif",
    ):
        row = rows[name]
        width, height = int(row["width"]), int(row["height"])
        pixels, _ = read((image_files / name).read_bytes(), (height, width, 4))
        for index in "12":
            expected = [int(each) for each in row[f"rgba{index}"].split()]
            if expected[3] == 0:  # the model sees no colour there
                expected = [0, 0, 0, 0]
            found = pixels[0, int(row[f"y{index}"]), int(row[f"x{index}"])].astype(int)
            assert np.abs(found - expected).max() <= int(row["tolerance"]), (name, index)
            colours.setdefault(name, []).append(row[f"rgba{index}"])
    assert len(colours) == 5


SNIFFED = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "AVIF")
ALIASED = [
    ("image/jpg", "JPEG"), ("image/pjpeg", "JPEG"), ("image/x-png", "PNG"), ("image/bmp", "BMP"),
    ("image/x-ms-bmp", "BMP"), *((media, kind) for media in UNKNOWN for kind in SNIFFED),
]  # fmt: skip


@pytest.mark.parametrize(("media", "pillow_format"), ALIASED)
def test_other_names_of_media_types_mean_the_same(client: TestClient, media: str, pillow_format: str):
    data = saved(noise("L"), pillow_format)
    expected = client.post("/encode", json={"images": [base64.b64encode(data).decode()]})
    assert expected.status_code == 200
    assert client.post("/encode", content=data, headers={"Content-Type": media}).json() == expected.json()
    assert client.post("/encode", files={"f": ("x", data, media)}).json() == expected.json()


def test_an_array_may_be_sent_as_an_unknown_file(client: TestClient):
    out = io.BytesIO()
    np.save(out, np.zeros((32, 32), np.uint8))
    for media in UNKNOWN:
        assert client.post("/encode", content=out.getvalue(), headers={"Content-Type": media}).status_code == 200
        response = client.post("/encode", content=b"no file", headers={"Content-Type": media})
        assert response.status_code == 400
        assert "image/bmp" in response.json()["accepted"]


def test_another_format_than_the_content_type_says_is_refused():
    with pytest.raises(ImageError, match="no JPEG") as caught:
        read(saved(noise("L")), GREY, "image/jpeg")
    assert caught.value.status == 400


def test_avif_is_offered_only_where_pillow_has_it():
    script = """
from PIL import features
features.check = lambda feature: False
from service.codecs.decode import FILE_TYPES, Source, sniff
from service.codecs.errors import ImageError
assert "image/avif" not in FILE_TYPES
try:
    sniff(Source("the body", b"\\0\\0\\0\\x1cftypavif" + bytes(16), None))
except ImageError as error:
    print(error.status, error.detail)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("400 the body: not an image; accepts image/png")


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
        "image/bmp": saved(smooth.quantize(64), "BMP"),
        "image/avif": saved(frames[0].convert("RGB"), "AVIF", **more),
    }


def damaged(data: bytes) -> Iterator[bytes]:
    for place in range(0, len(data), 10):
        yield data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        yield data[:place]


def oracle(data: bytes, media: str) -> int:
    """The status that Pillow's strict decoder asks for; 413 where damage made an image larger than the limit.

    A PNG that it refuses is looked at again without damaged chunks that libpng passes over.
    """
    status = strict(data, media)
    if status == 400 and PILLOW_FORMATS[media] == "PNG":
        with suppress(png.DamagedChunk):
            return strict(png.mend(data)[0], media)
    return status


def strict(data: bytes, media: str) -> int:
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
        # The AV1 data of an AVIF are looked at before Pillow decodes it, and it is refused too if these are damaged.
        expected = {oracle(data, media)} | ({400, 413} if media == "image/avif" else set())
        assert response.status_code in expected, response.text
        seen.add(response.status_code)
    assert 400 in seen
    assert client.post("/encode", content=whole, headers={"Content-Type": media}).status_code == 200
