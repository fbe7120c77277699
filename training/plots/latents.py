"""How active each latent is, and which factor it follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.latents import ACTIVE, LatentRow, table
from training.plots.canvas import COLOURS, INK, MUTED, Picture, drawn, figure, plain

IDLE = "#d0d0d0"


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``latents.png``, of models with free latents and data with labelled factors."""
    if context.factors and len(context.representation.factors) > 1 and (rows := table(context)):
        yield "latents.png", bars(rows)


def bars(rows: list[LatentRow]) -> Picture:
    """Mean posterior variance per latent on a logarithmic scale, active ones with the factor that they tell most of."""
    canvas = figure(7.5, 0.34 * len(rows) + 1.1)
    axes: Any = canvas.subplots()
    places = np.arange(len(rows))[::-1]
    variance = np.array([row.variance for row in rows])
    active = variance < ACTIVE[0]
    axes.barh(places, variance, color=[COLOURS[0] if each else IDLE for each in active], height=0.7)
    axes.axvline(ACTIVE[0], color=MUTED, lw=1, ls="--")
    axes.set_xscale("log")
    axes.set_xlim(min(variance.min() / 2, 1e-3), 3)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks(places, [row.name for row in rows], size=9)
    for place, row, is_active in zip(places, rows, active, strict=True):
        told = f"{row.variance:#.2g}  " + (f"tells {row.share:.0%} of {row.factor}" if is_active else "idle")
        axes.annotate(told, (1.01, place), xycoords=("axes fraction", "data"), va="center", size=8, color=INK)
    axes.set_xlabel("mean posterior variance (prior: 1)", size=9, color=INK)
    plain(axes)
    return drawn(canvas)
