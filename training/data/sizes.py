"""Images of several sizes, brought to one: padded, cropped or scaled."""

from __future__ import annotations

from collections import Counter

from PIL import Image

from attributes import MAX_SIDE, MIN_SIDE
from training.data.dataset import DataError
from training.data.reading import Fit

Size = tuple[int, int]  # width, height
# How many sizes an error lists.
SHOWN = 5


def target_size(sizes: Counter[Size], fit: Fit, where: str) -> Size:
    """The size that all images get; raises DataError if there are several and no fit, or if it can't be trained on.

    ``pad`` takes the largest width and height, ``crop`` the smallest, ``scale`` the most frequent size.
    """
    if len(sizes) > 1 and not fit:
        listed = ", ".join(f"{count:,} of {w} x {h}" for (w, h), count in sizes.most_common(SHOWN))
        more = f" and {len(sizes) - SHOWN} more sizes" if len(sizes) > SHOWN else ""
        raise DataError(
            f"{where}: the images have {len(sizes)} sizes (width x height): {listed}{more}; "
            "bring them to one with --fit pad, --fit crop or --fit scale"
        )
    if fit == "scale":
        width, height = sizes.most_common(1)[0][0]
    else:
        choose = min if fit == "crop" else max
        width, height = choose(w for w, _ in sizes), choose(h for _, h in sizes)
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
        raise DataError(
            f"{where}: images are {width} x {height} (width x height); each must be {MIN_SIDE} to {MAX_SIDE}"
        )
    return width, height


def fitted(image: Image.Image, size: Size, fit: Fit) -> Image.Image:
    """An image of L, RGB or RGBA in another size; what is added is transparent, or black without transparency."""
    if image.size == size:
        return image
    if fit == "scale":
        image = _scaled(image, size)
    (width, height), (across, down) = image.size, size
    whole = Image.new(image.mode, size)
    whole.paste(image, ((across - width) // 2, (down - height) // 2))
    return whole


def _scaled(image: Image.Image, size: Size) -> Image.Image:
    """The image as large as fits; by a whole factor each pixel becomes a square, so that pixel art stays sharp."""
    factor = min(size[0] / image.width, size[1] / image.height)
    if factor >= 1:
        factor = int(factor)
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    if (1 / factor).is_integer():
        return (
            image.reduce(int(1 / factor))
            if image.mode != "RGBA"
            else image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.NEAREST)
        )
    new = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    # Pillow weighs colours by alpha itself where it resizes RGBA.
    return image.resize(new, Image.Resampling.LANCZOS)
