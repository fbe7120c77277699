"""Which pixels each latent explains: maps of first-order sensitivity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.sensitivity import Sensitivity, of_latents
from training.plots.canvas import INK, Picture, drawn, figure, show

ACROSS = 5


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``sensitivity.png``, of models with latents of one dimension each."""
    found = of_latents(context)
    if found is not None:
        yield "sensitivity.png", maps(*found)


def maps(names: list[str], sensitivity: Sensitivity) -> Picture:
    """A heat map per latent, its share of the whole image's variance in the title."""
    across = min(ACROSS, len(names))
    down = math.ceil(len(names) / across)
    canvas = figure(1.9 * across + 0.9, 2.1 * down)
    panels: Any = canvas.subplots(down, across, squeeze=False)
    pixels = np.clip(sensitivity.pixels.mean(axis=-1, keepdims=True), 0, 1)
    for axes, name, image, share in zip(panels.ravel(), names, pixels, sensitivity.overall, strict=False):
        show(axes, image, cmap="magma", vmin=0, vmax=1)
        axes.set_title(f"{name}: {max(share, 0):.1%}", size=8, color=INK)
    for axes in panels.ravel()[len(names) :]:
        axes.axis("off")
    bar = canvas.colorbar(panels.ravel()[0].images[0], ax=panels.ravel().tolist(), shrink=0.7)
    bar.set_label("share of the pixel's variance", size=8, color=INK)
    bar.ax.tick_params(labelsize=7)
    return drawn(canvas)
