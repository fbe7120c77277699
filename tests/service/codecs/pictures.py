"""Pictures as files, and how the service reads them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from export.manifest import ImageSpec
from service.codecs.decode import Source, decode_images

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
