"""What all pictures share: grids of images, names beside them, figures, and files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.atomic_files import atomic_write

Picture = NDArray[np.uint8]
"""[H, W, C]."""

COLUMNS = 12
GAP = 2
BACKGROUND = 96
NAME_SIZE = 13
INK, LINES, MUTED, COLOURS = "#222222", "#e5e5e5", "#8a8a8a", ("#1b6ca8", "#d97706")
DPI = 110


def grid(rows: Sequence[NDArray[Any]]) -> Picture:
    """Rows of images, each [N, H, W, C] uint8, as one picture [H, W, C] with grey lines between them."""
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


def with_names(picture: Picture, names: Sequence[str]) -> Picture:
    """A grid with the name of each row in a margin before it, as RGB or RGBA."""
    font = ImageFont.load_default(NAME_SIZE)
    margin = 2 * NAME_SIZE + math.ceil(max(font.getlength(name) for name in names))
    mode = "RGBA" if picture.shape[-1] == 4 else "RGB"
    named = Image.new(mode, (margin + picture.shape[1], picture.shape[0]), "white")
    named.paste(image_of(picture), (margin, 0))
    draw, step = ImageDraw.Draw(named), picture.shape[0] / len(names)
    for i, name in enumerate(names):
        draw.text((margin - NAME_SIZE, (i + 0.5) * step), name, fill="black", font=font, anchor="rm")
    return np.asarray(named)


def captioned(picture: Picture, text: str) -> Picture:
    """A picture with a line of text below it, as RGB or RGBA."""
    font = ImageFont.load_default(NAME_SIZE)
    mode = "RGBA" if picture.shape[-1] == 4 else "RGB"
    width = max(picture.shape[1], math.ceil(font.getlength(text)) + NAME_SIZE)
    whole = Image.new(mode, (width, picture.shape[0] + 2 * NAME_SIZE), "white")
    whole.paste(image_of(picture), (0, 0))
    middle = picture.shape[0] + NAME_SIZE
    ImageDraw.Draw(whole).text((NAME_SIZE / 2, middle), text, fill="black", font=font, anchor="lm")
    return np.asarray(whole)


def enlarged(picture: Picture, times: int) -> Picture:
    """Each pixel as a square of so many."""
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def drawn(figure: Figure) -> Picture:
    """A figure as a picture [H, W, 3]."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def plain(axes: Any) -> None:
    """Axes without a box, with quiet ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(length=2, colors=INK, labelsize=8)


def show(axes: Any, picture: NDArray[Any], **options: Any) -> None:
    """A picture [H, W, C] on axes, without ticks."""
    axes.imshow(picture.squeeze(-1) if picture.shape[-1] == 1 else picture, interpolation="nearest", **options)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def image_of(picture: Picture) -> Image.Image:
    """A picture [H, W, 1, 3 or 4] for Pillow."""
    return Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)


def save(picture: Picture, file: Path) -> None:
    """Write a picture [H, W, 1, 3 or 4] as PNG."""
    with atomic_write(file) as output:
        image_of(picture).save(output, "PNG")


def save_gif(frames: Sequence[Picture], file: Path, fps: float = 12) -> None:
    """Write frames as a GIF that repeats; frames that are equal to the one before become one that lasts longer.

    A GIF counts in 10 ms: 12 frames a second are 80 ms each.
    """
    first, *others = (image_of(frame) for frame in frames)
    duration = 10 * round(100 / fps)
    with atomic_write(file) as output:
        first.save(output, "GIF", save_all=True, append_images=others, duration=duration, loop=0, disposal=2)
