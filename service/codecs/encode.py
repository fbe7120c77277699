"""Encoding images: frames of uint8 pixels as files. The same frames give the same bytes."""

from __future__ import annotations

import base64
import math
import struct
import zipfile
from fractions import Fraction
from io import BytesIO
from itertools import count, pairwise
from typing import Any

import numpy as np
import PIL
from isal import __version__ as isal_version
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from attributes import Float32
from service.codecs import png

PNG, WEBP, GIF, APNG = "image/png", "image/webp", "image/gif", "image/apng"
NPY, ZIP, JSON = "application/x-npy", "application/zip", "application/json"
# The preferred format first, for images that are no animation.
FORMATS = (PNG, WEBP, GIF, APNG, NPY, ZIP, JSON)
# Part of ETags: it changes when the same frames may give other bytes. isal's bytes also depend on the processor, so
# ETags are weak.
CODEC = f"3-{PIL.__version__}-{isal_version}"
# Browsers show a frame of a GIF for a tenth of a second if it says less than two hundredths. So a GIF of 60 frames a
# second would be slower than one of 50, and has 50, as gifski writes it.
MAX_GIF_FPS = 50.0
# Largest denominator of an APNG's frame rate: up to 100 a second, both numbers of its fraction have 16 bits then.
MAX_DENOMINATOR = 600
# About how long a byte of a frame takes to encode, of noise.
MICROSECONDS_PER_BYTE = {PNG: 0.005, WEBP: 0.1, GIF: 0.03, APNG: 0.01, NPY: 0.0005, ZIP: 0.015, JSON: 0.012}

Frames = NDArray[np.uint8]


def to_frames(images: Float32) -> Frames:
    """Frames [N, H, W, C] of 0..255 of images [N, C, H, W] in 0..1: round(255 * value)."""
    scaled: Float32 = images.clip(0, 1)
    scaled *= 255
    return np.rint(scaled, out=scaled).astype(np.uint8).transpose(0, 2, 3, 1)


def microseconds(media: str, shape: tuple[int, int, int, int]) -> float:
    """About how long it takes to encode frames of this shape [N, H, W, C]."""
    return MICROSECONDS_PER_BYTE[media] * math.prod(shape)


def encode(frames: Frames, media: str, columns: int, fps: float, loop: bool) -> bytes:
    """Frames [N, H, W, C] as a file: PNG is a sheet; WebP, GIF and APNG are animations; npy and zip hold all frames.

    ``fps`` is in frames per second, from 0.1 to 100.
    """
    if media == PNG:
        return png.encode(sheet(frames, columns))
    if media == APNG:
        return _apng(frames, fps, loop)
    if media == WEBP:
        return _webp(frames, fps, loop)
    if media == GIF:
        return _gif(frames, fps, loop)
    if media == ZIP:
        return _zip(frames)
    assert media == NPY
    out = BytesIO()
    np.save(out, np.ascontiguousarray(frames))
    return out.getvalue()


def durations(frames: int, fps: float, ticks: int) -> list[int]:
    """How long each frame lasts, in ticks, so many a second. Frames begin at the nearest tick, so that none drifts."""
    starts = [math.floor(index * ticks / fps + 0.5) for index in range(frames + 1)]
    return [end - start for start, end in pairwise(starts)]


def sheet_columns(frames: int, columns: int | None) -> int:
    """Columns of a sheet: as many as asked for, at most one per frame; ceil(sqrt N) by default."""
    return min(columns, frames) if columns else math.ceil(math.sqrt(frames))


def sheet(frames: Frames, columns: int) -> NDArray[np.uint8]:
    """One image [rows * H, columns * W, C] of all frames, row by row. Cells left over are black or transparent."""
    number, height, width, channels = frames.shape
    if number == 1:
        only: NDArray[np.uint8] = frames[0]
        return only
    rows = -(-number // columns)
    if left := rows * columns - number:
        frames = np.concatenate((frames, np.zeros((left, height, width, channels), np.uint8)))
    grid = frames.reshape(rows, columns, height, width, channels)
    return grid.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def base64_png(pixels: NDArray[np.uint8]) -> str:
    """One image [H, W, C] as base64 of a PNG."""
    return base64.b64encode(png.encode(pixels)).decode()


def _picture(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))


def _save(image: Image.Image, pillow_format: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, pillow_format, **options)
    return out.getvalue()


# Pillow and libwebp merge equal frames that follow each other, which would break the promised number of frames. So each
# frame is encoded as a still image, and this module puts the stills into the animation's container.


def _apng(frames: Frames, fps: float, loop: bool) -> bytes:
    """https://www.w3.org/TR/png-3/#apng-frame-based-animation"""
    shape = _, height, width, _ = frames.shape
    numbers, rate = count(), Fraction(fps).limit_denominator(MAX_DENOMINATOR)
    parts = [png.head(shape[1:]), png.chunk(b"acTL", struct.pack(">II", len(frames), 0 if loop else 1))]
    for index, frame in enumerate(frames):
        place = struct.pack(">IIIII", next(numbers), width, height, 0, 0)
        parts.append(png.chunk(b"fcTL", place + struct.pack(">HHBB", rate.denominator, rate.numerator, 0, 0)))
        data = png.compress(frame)
        if index == 0:
            parts.append(png.chunk(b"IDAT", data))
        else:
            parts.append(png.chunk(b"fdAT", struct.pack(">I", next(numbers)) + data))
    return b"".join([*parts, png.END])


def _webp(frames: Frames, fps: float, loop: bool) -> bytes:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    stills = [_save(_picture(frame), "WEBP", lossless=True, method=0, exact=True) for frame in frames]
    if len(stills) == 1:
        return stills[0]
    _, height, width, channels = frames.shape
    size = _uint24(width - 1) + _uint24(height - 1)
    alpha = 0x10 if channels == 4 else 0
    parts = [
        _riff_chunk(b"VP8X", struct.pack("<I", 0x02 | alpha) + size),
        _riff_chunk(b"ANIM", struct.pack("<IH", 0, 0 if loop else 1)),
    ]
    # The flags mean: don't blend, don't dispose. A lossless still is a RIFF header of 12 bytes and one VP8L chunk.
    head = _uint24(0) + _uint24(0) + size
    for still, milliseconds in zip(stills, durations(len(stills), fps, 1000), strict=True):
        parts.append(_riff_chunk(b"ANMF", head + _uint24(milliseconds) + b"\x02" + still[12:]))
    return _riff_chunk(b"RIFF", b"WEBP" + b"".join(parts))


def _riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _uint24(value: int) -> bytes:
    return value.to_bytes(3, "little")


def _gif(frames: Frames, fps: float, loop: bool) -> bytes:
    """Each frame with its own 256 colours; alpha below one half becomes transparent."""
    pictures = [_paletted(frame) for frame in frames]
    repeat = {"loop": 0} if loop and len(frames) > 1 else {}
    header, _ = GifImagePlugin.getheader(pictures[0].copy(), info={"version": b"GIF89a", "optimize": False, **repeat})
    parts = list(header)
    options: dict[str, Any] = {"transparency": 255} if frames.shape[3] == 4 else {}
    for picture, hundredths in zip(pictures, durations(len(pictures), min(fps, MAX_GIF_FPS), 100), strict=True):
        duration = 10 * hundredths  # Pillow takes milliseconds
        parts += GifImagePlugin.getdata(picture, duration=duration, disposal=2, include_color_table=True, **options)
    return b"".join([*parts, b";"])


def _paletted(frame: NDArray[np.uint8]) -> Image.Image:
    picture = _picture(frame)
    if picture.mode == "L":
        return picture
    if picture.mode == "RGB":
        return picture.quantize(256, dither=Image.Dither.NONE)
    paletted = picture.convert("RGB").quantize(255, dither=Image.Dither.NONE)
    clear = Image.fromarray(np.where(frame[:, :, 3] < 128, 255, 0).astype(np.uint8))
    paletted.paste(255, mask=clear)
    return paletted


def _zip(frames: Frames) -> bytes:
    out = BytesIO()
    digits = max(3, len(str(len(frames) - 1)))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for index, frame in enumerate(frames):
            archive.writestr(zipfile.ZipInfo(f"{index:0{digits}}.png", (1980, 1, 1, 0, 0, 0)), png.encode(frame))
    return out.getvalue()
