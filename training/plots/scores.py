"""An evaluation as one picture: shares with their intervals and ceilings, above some images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.metrics.scores import Evaluation
from training.plots.figures import GRID_COLOUR, MUTED_COLOUR, PALETTE, TEXT_COLOUR, new_figure, rasterize, show_picture
from training.plots.pictures import Picture

# In inches.
WIDTH = 9.0
SCORE_HEIGHT = 0.32  # of the line of one score
FRAME_HEIGHT = 1.5  # of titles, axis and legend together

# Coordinates: x as fraction of the axes, y on the axis.
RIGHT_OF_AXES = ("axes fraction", "data")
SHARES = ("decode.iou", "decode.exact", "round_trip.all")


def scores_picture(evaluation: Evaluation, ceilings: Mapping[str, float], examples: Picture) -> Picture:
    """The picture [H, W, 3] of an evaluation above the picture ``examples``; without shares, ``examples`` alone."""
    scores = next(iter(evaluation.values()))
    names = [name for name in scores if (name.startswith("accuracy.") or name in SHARES) and scores[name].rows]
    if not names:
        return examples
    heights = [SCORE_HEIGHT * len(names) + FRAME_HEIGHT, WIDTH * examples.shape[0] / examples.shape[1] + 0.3]
    figure = new_figure(WIDTH, sum(heights))
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    upper, lower = (each.subplots() for each in parts)
    _draw_shares(upper, evaluation, ceilings, names)
    show_picture(lower, examples, cmap="gray", vmin=0, vmax=255)
    lower.set_title(
        "originals, reconstructions, and what their labels decode to",
        size=10,
        color=TEXT_COLOUR,
        loc="left",
    )
    return rasterize(figure)


def _draw_shares(axes: Any, evaluation: Evaluation, ceilings: Mapping[str, float], names: list[str]) -> None:
    lines = np.arange(len(names))[::-1]  # the first name at the top
    for i, (title, scores) in enumerate(evaluation.items()):
        shown = [scores[name] for name in names]
        heights = lines + 0.12 * (len(evaluation) - 1) - 0.24 * i
        mean = np.array([each.mean for each in shown])
        reach = np.abs(np.array([[each.low, each.high] for each in shown]).T - mean)
        label = f"{title}, {max(each.rows for each in shown):,} images"
        axes.errorbar(mean, heights, xerr=reach, fmt="o", ms=4, capsize=2, color=PALETTE[i % 2], label=label)
        for x, y in zip(mean, heights, strict=True):
            axes.annotate(f"{x:.4f}", (1.01, y), xycoords=RIGHT_OF_AXES, va="center", size=7, color=PALETTE[i % 2])
    best = {name: ceilings.get(name.removeprefix("accuracy.")) for name in names}
    if known := [(x, y) for x, y in zip(best.values(), lines, strict=True) if x is not None]:
        axes.scatter(
            *zip(*known, strict=True), marker="|", s=200, color=MUTED_COLOUR, label="best that the image allows"
        )
    axes.set_yticks(lines, names, size=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", color=GRID_COLOUR)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=TEXT_COLOUR, labelsize=9)
    axes.set_title("share of images, with 95 % intervals", size=10, color=TEXT_COLOUR, loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=3, frameon=False, fontsize=8)
