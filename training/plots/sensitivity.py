"""Heat maps of the pixels that each latent explains: first-order sensitivity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.sensitivity import Sensitivity, latent_sensitivities
from training.plots.figures import TEXT_COLOUR, new_figure, rasterize, show_picture
from training.plots.pictures import Picture

COLUMNS = 5


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``sensitivity.png``, of models with latents of one dimension each."""
    found = latent_sensitivities(context)
    if found is not None:
        yield "sensitivity.png", heat_maps(*found)


def heat_maps(names: list[str], sensitivity: Sensitivity) -> Picture:
    """A heat map for each latent, with its share of the whole image's variance in the title."""
    across = min(COLUMNS, len(names))
    down = math.ceil(len(names) / across)
    figure = new_figure(1.9 * across + 0.9, 2.1 * down)
    panels: Any = figure.subplots(down, across, squeeze=False)
    pixels = np.clip(sensitivity.pixels.mean(axis=-1, keepdims=True), 0, 1)  # [L, H, W, 1]
    for axes, name, image, share in zip(panels.ravel(), names, pixels, sensitivity.overall, strict=False):
        show_picture(axes, image, cmap="magma", vmin=0, vmax=1)
        axes.set_title(f"{name}: {max(share, 0):.1%}", size=8, color=TEXT_COLOUR)
    for axes in panels.ravel()[len(names) :]:
        axes.axis("off")
    bar = figure.colorbar(panels.ravel()[0].images[0], ax=panels.ravel().tolist(), shrink=0.7)
    bar.set_label("share of the pixel's variance", size=8, color=TEXT_COLOUR)
    bar.ax.tick_params(labelsize=7)
    return rasterize(figure)
