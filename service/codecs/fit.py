"""Fitting: from a picture of any size and colour to one as the model takes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from service.codecs import png
from service.codecs.png import Shape

EXIF_ORIENTATION = 0x0112
# Of 16 bits, for which numbers of 64 bits are needed.
PIXELS_AT_ONCE = 2**18
COLOURS = {"1": "1-bit", "L": "grey", "LA": "grey", "RGBA": "RGB", "P": "palette", "PA": "palette"}


def fit(image: Image.Image, shape: Shape) -> tuple[NDArray[np.uint8], list[str]]:
    """An image as one of the model's ``shape`` [H, W, C], and how it was converted.

    Resizing averages the area that a pixel covers, or repeats pixels when it enlarges (Pillow's BOX); it does not keep
    the aspect ratio. Colour becomes grey by ITU-R 601 luma. Alpha is composited on black where the model has none.
    """
    height, width, channels = shape
    notes = []
    image, turned = _upright(image)
    if turned:
        notes.append("turned by its EXIF orientation")
    if image.mode.startswith("I"):
        image, least, most = _to_8_bits(image)
        notes.append(f"16 bits to 8: values {least}..{most} of 65535")
    target = png.MODES[channels]
    colour, wanted = (COLOURS.get(mode, mode) for mode in (image.mode, target))
    alpha = image.has_transparency_data
    image = image.convert("RGBA" if alpha else target) if alpha or image.mode != target else image
    if image.size != (width, height):
        notes.append(f"resized {image.width}x{image.height} to {width}x{height}")
        image = image.resize((width, height), Image.Resampling.BOX)
    if alpha and target != "RGBA":
        notes.append("alpha composited on black")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image).convert(target)
    elif target == "RGBA" and not alpha:
        notes.append("opaque alpha added")
    if colour != wanted:
        notes.append(f"{colour} to {wanted}")
    return np.asarray(image).reshape(shape), notes


def _to_8_bits(image: Image.Image) -> tuple[Image.Image, int, int]:
    """A grey image of 16 bits in 8, and its least and its largest value; some rows at a time, to spare memory."""
    small = np.empty((image.height, image.width), np.uint8)
    rows, ranges = max(1, PIXELS_AT_ONCE // image.width), []
    for start in range(0, image.height, rows):
        part = image.crop((0, start, image.width, min(start + rows, image.height)))
        values = np.clip(np.asarray(part), 0, 65535)
        ranges.append((int(values.min()), int(values.max())))
        small[start : start + rows] = np.rint(values / 257)
    return Image.fromarray(small), min(ranges)[0], max(most for _, most in ranges)


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    try:
        if image.getexif().get(EXIF_ORIENTATION, 1) not in range(2, 9):
            return image, False
        return ImageOps.exif_transpose(image), True
    except Exception:  # unreadable metadata does not make the pixels wrong
        return image, False


def as_picture(array: NDArray[np.uint8]) -> Image.Image:
    """An array [H, W, C] as a picture."""
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
