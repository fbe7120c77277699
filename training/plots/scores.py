"""An evaluation as one picture: shares with their intervals and ceilings, and some images as the model sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.metrics import Score
from training.plots.canvas import COLOURS, INK, LINES, MUTED, Picture, drawn, figure, show

WIDTH, ROW, REST = 9.0, 0.32, 1.5
"""Inches: the picture's width, the height of a score's row, and of titles, axis and legend together."""
SHARES = ("decode.iou", "decode.exact", "round_trip.all")

Evaluation = Mapping[str, Mapping[str, Score]]


def scores_picture(evaluation: Evaluation, ceilings: Mapping[str, float], examples: Picture) -> Picture:
    """The picture [H, W, 3] of an evaluation; ``examples`` is drawn below it."""
    scores = next(iter(evaluation.values()))
    names = [name for name in scores if (name.startswith("accuracy.") or name in SHARES) and scores[name].rows]
    if not names:
        return examples
    heights = [ROW * len(names) + REST, WIDTH * examples.shape[0] / examples.shape[1] + 0.3]
    canvas = figure(WIDTH, sum(heights))
    parts: Any = canvas.subfigures(2, 1, height_ratios=heights)
    upper, lower = (each.subplots() for each in parts)
    _draw_shares(upper, evaluation, ceilings, names)
    show(lower, examples, cmap="gray", vmin=0, vmax=255)
    lower.set_title(
        "originals, reconstructions, and what their labels decode to",
        size=10,
        color=INK,
        loc="left",
    )
    return drawn(canvas)


def _draw_shares(axes: Any, evaluation: Evaluation, ceilings: Mapping[str, float], names: list[str]) -> None:
    places = np.arange(len(names))[::-1]
    for i, (title, scores) in enumerate(evaluation.items()):
        shown = [scores[name] for name in names]
        heights = places + 0.12 * (len(evaluation) - 1) - 0.24 * i
        mean = np.array([each.mean for each in shown])
        reach = np.abs(np.array([[each.low, each.high] for each in shown]).T - mean)
        label = f"{title}, {max(each.rows for each in shown):,} images"
        axes.errorbar(mean, heights, xerr=reach, fmt="o", ms=4, capsize=2, color=COLOURS[i % 2], label=label)
        for x, y in zip(mean, heights, strict=True):
            place = ("axes fraction", "data")
            axes.annotate(f"{x:.4f}", (1.01, y), xycoords=place, va="center", size=7, color=COLOURS[i % 2])
    best = {name: ceilings.get(name.removeprefix("accuracy.")) for name in names}
    if known := [(x, y) for x, y in zip(best.values(), places, strict=True) if x is not None]:
        axes.scatter(*zip(*known, strict=True), marker="|", s=200, color=MUTED, label="best that the image allows")
    axes.set_yticks(places, names, size=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", color=LINES)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK, labelsize=9)
    axes.set_title("share of images, with 95 % intervals", size=10, color=INK, loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=3, frameon=False, fontsize=8)
