"""Pictures as files, and how the service reads them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from service.codecs.batch import to_batch
from service.codecs.decode import Source, decode_images
from service.codecs.png import Shape

GREY: Shape = (32, 32, 1)
COLOUR: Shape = (28, 40, 3)
ALPHA: Shape = (32, 32, 4)


def saved(image: Image.Image, pillow_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, pillow_format, **options)
    return out.getvalue()


def noise(mode: str, size: tuple[int, int] = (32, 32), seed: int = 0) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], channels), np.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, mode)


@cache
def slow() -> bytes:
    """A JPEG of 4 MB that takes more than a tenth of a second to decode."""
    return saved(Image.effect_noise((3000, 3000), 60), "JPEG", progressive=True)


def read(data: bytes, shape: Shape, media: str | None = None) -> tuple[np.ndarray, list[list[str]]]:
    images, converted = decode_images([Source("the body", data, media)], shape, 16, 2**18)
    return np.rint(to_batch(images, shape) * 255).astype(np.uint8).transpose(0, 2, 3, 1), converted
