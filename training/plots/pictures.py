"""Pictures as arrays: grids of images, text beside them, and PNG and GIF files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.atomic_files import atomic_write

Picture = NDArray[np.uint8]  # [H, W, C]

COLUMNS = 12
GAP = 2  # pixels between the images of a grid
BACKGROUND = 96  # grey level between them
FONT_SIZE = 13


def grid(rows: Sequence[NDArray[Any]]) -> Picture:
    """Rows of images, each [N, H, W, C] uint8, as one picture [H, W, C] with grey lines between the images."""
    height, width, channels = rows[0].shape[1:]
    across = max(len(row) for row in rows)
    shape = (len(rows) * (height + GAP) + GAP, across * (width + GAP) + GAP, channels)
    picture = np.full(shape, 255, np.uint8)
    for i, row in enumerate(rows):
        bottom, right = (i + 1) * (height + GAP) + GAP, len(row) * (width + GAP) + GAP
        picture[i * (height + GAP) : bottom, :right, :3] = BACKGROUND
        for j, image in enumerate(row):
            top, left = GAP + i * (height + GAP), GAP + j * (width + GAP)
            picture[top : top + height, left : left + width] = image
    return picture


def with_row_names(picture: Picture, names: Sequence[str]) -> Picture:
    """A grid with the name of each row to its left, as RGB or RGBA."""
    font = ImageFont.load_default(FONT_SIZE)
    margin = 2 * FONT_SIZE + math.ceil(max(font.getlength(name) for name in names))
    named = Image.new(_colour_mode(picture), (margin + picture.shape[1], picture.shape[0]), "white")
    named.paste(to_pillow(picture), (margin, 0))
    draw, step = ImageDraw.Draw(named), picture.shape[0] / len(names)
    for i, name in enumerate(names):
        draw.text((margin - FONT_SIZE, (i + 0.5) * step), name, fill="black", font=font, anchor="rm")
    return np.asarray(named)


def with_caption(picture: Picture, text: str) -> Picture:
    """A picture with a line of text below it, as RGB or RGBA."""
    font = ImageFont.load_default(FONT_SIZE)
    width = max(picture.shape[1], math.ceil(font.getlength(text)) + FONT_SIZE)
    whole = Image.new(_colour_mode(picture), (width, picture.shape[0] + 2 * FONT_SIZE), "white")
    whole.paste(to_pillow(picture), (0, 0))
    middle = picture.shape[0] + FONT_SIZE
    ImageDraw.Draw(whole).text((FONT_SIZE / 2, middle), text, fill="black", font=font, anchor="lm")
    return np.asarray(whole)


def _colour_mode(picture: Picture) -> str:
    return "RGBA" if picture.shape[-1] == 4 else "RGB"


def upscale(picture: Picture, factor: int) -> Picture:
    """Each pixel as a square of ``factor`` x ``factor`` pixels."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def to_pillow(picture: Picture) -> Image.Image:
    """A picture [H, W, 1, 3 or 4] as Pillow image."""
    return Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)


def save(picture: Picture, file: Path) -> None:
    """Write a picture [H, W, 1, 3 or 4] as PNG."""
    with atomic_write(file) as output:
        to_pillow(picture).save(output, "PNG")


def save_gif(frames: Sequence[Picture], file: Path, fps: float = 12) -> None:
    """Write frames as a GIF that repeats. Successive frames that are equal become one that lasts longer."""
    first, *others = (to_pillow(frame) for frame in frames)
    duration = 10 * round(100 / fps)  # a GIF counts in 10 ms: 12 frames per second are 80 ms each
    with atomic_write(file) as output:
        first.save(output, "GIF", save_all=True, append_images=others, duration=duration, loop=0, disposal=2)
