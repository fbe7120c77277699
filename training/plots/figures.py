"""Figures of matplotlib in one style, rendered without a display."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.plots.pictures import Picture

TEXT_COLOUR = "#222222"
GRID_COLOUR = "#e5e5e5"
MUTED_COLOUR = "#8a8a8a"
PALETTE = ("#1b6ca8", "#d97706", "#2f9e44", "#c2255c", "#7048e8", "#0c8599", "#868e96", "#5c3d1e")
DPI = 110


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def rasterize(figure: Figure) -> Picture:
    """A figure as a picture [H, W, 3]."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def style_axes(axes: Any) -> None:
    """Remove the box of axes, and shorten their ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED_COLOUR)
    axes.tick_params(length=2, colors=TEXT_COLOUR, labelsize=8)


def show_picture(axes: Any, picture: NDArray[Any], **options: Any) -> None:
    """Show a picture [H, W, C] on axes, without ticks; ``options`` are those of ``imshow``."""
    axes.imshow(picture.squeeze(-1) if picture.shape[-1] == 1 else picture, interpolation="nearest", **options)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
