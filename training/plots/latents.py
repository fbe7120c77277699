"""The posterior variance of each latent, and the factor that it follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.latents import ACTIVE, LatentStatistics, latent_statistics
from training.plots.figures import MUTED_COLOUR, PALETTE, TEXT_COLOUR, new_figure, rasterize, style_axes
from training.plots.pictures import Picture

IDLE_COLOUR = "#d0d0d0"


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``latents.png``, of models with free latents and data with labelled factors."""
    if not context.factor_attributes or len(context.codes_and_factors.factors) < 2:
        return
    if statistics := latent_statistics(context):
        yield "latents.png", variance_bars(statistics)


def variance_bars(statistics: list[LatentStatistics]) -> Picture:
    """A bar for each latent: its mean posterior variance, and for active ones the factor that they follow."""
    figure = new_figure(7.5, 0.34 * len(statistics) + 1.1)
    axes: Any = figure.subplots()
    heights = np.arange(len(statistics))[::-1]
    variance = np.array([each.variance for each in statistics])
    active = variance < ACTIVE[0]
    axes.barh(heights, variance, color=[PALETTE[0] if each else IDLE_COLOUR for each in active], height=0.7)
    axes.axvline(ACTIVE[0], color=MUTED_COLOUR, lw=1, ls="--")
    axes.set_xscale("log")
    axes.set_xlim(min(variance.min() / 2, 1e-3), 3)
    axes.set_ylim(-0.7, len(statistics) - 0.3)
    axes.set_yticks(heights, [each.name for each in statistics], size=9)
    for height, each, is_active in zip(heights, statistics, active, strict=True):
        text = f"{each.variance:#.2g}  " + (f"tells {each.share:.0%} of {each.factor}" if is_active else "idle")
        axes.annotate(text, (1.01, height), xycoords=("axes fraction", "data"), va="center", size=8, color=TEXT_COLOUR)
    axes.set_xlabel("mean posterior variance (prior: 1)", size=9, color=TEXT_COLOUR)
    style_axes(axes)
    return rasterize(figure)
