"""An evaluation as one picture: shares with their intervals and ceilings, and some images as the model sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.metrics import Score
from training.plots import Picture

INK, MUTED, COLOURS = "#222222", "#8a8a8a", ("#1b6ca8", "#d97706")


def scores_picture(
    evaluation: Mapping[str, Mapping[str, Score]], ceilings: Mapping[str, float], examples: Picture
) -> Picture:
    """The picture [H, W, 3] of an evaluation; ``examples`` is drawn below it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shares = [
        n for n in next(iter(evaluation.values())) if n.startswith("accuracy.") or n in ("decode.iou", "decode.exact")
    ]
    figure = Figure(figsize=(9, 2.2 + 0.34 * len(shares) + 9 * examples.shape[0] / examples.shape[1]), dpi=110)
    canvas: Any = FigureCanvasAgg(figure)
    upper, lower = figure.subplots(
        2, 1, height_ratios=[0.34 * len(shares) + 0.6, 9 * examples.shape[0] / examples.shape[1]]
    )
    _accuracies(upper, evaluation, ceilings, shares)
    lower.imshow(examples.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    lower.set_title(
        "originals, their reconstructions, and what is decoded from their labels", size=9, color=INK, loc="left"
    )
    lower.axis("off")
    figure.tight_layout()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _accuracies(
    axes: Any, evaluation: Mapping[str, Mapping[str, Score]], ceilings: Mapping[str, float], names: list[str]
) -> None:
    places = np.arange(len(names))[::-1]
    for i, (title, scores) in enumerate(evaluation.items()):
        shown = [scores[name] for name in names]
        offset = places + 0.12 - 0.24 * i if len(evaluation) > 1 else places
        mean = np.array([each.mean for each in shown])
        reach = np.abs(np.array([[each.low, each.high] for each in shown]).T - mean)
        rows = max(each.rows for each in shown)
        axes.errorbar(
            mean, offset, xerr=reach, fmt="o", ms=5, capsize=3, color=COLOURS[i % 2], label=f"{title}, {rows:,} images"
        )
        if i == 0:
            for x, y in zip(mean, offset, strict=True):
                axes.annotate(f"{x:.4f}", (1.01, y), xycoords=("axes fraction", "data"), va="center", size=8, color=INK)
    known = [
        (ceilings[n.removeprefix("accuracy.")], y)
        for n, y in zip(names, places, strict=True)
        if n.removeprefix("accuracy.") in ceilings
    ]
    if known:
        axes.scatter(
            *zip(*known, strict=True), marker="|", s=260, color=MUTED, label="best that the image allows", zorder=0
        )
    axes.set_yticks(places, names, size=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", color="#e5e5e5")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK, labelsize=9)
    axes.set_title("share of images, with 95 % intervals", size=10, color=INK, loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, frameon=False, fontsize=8)
