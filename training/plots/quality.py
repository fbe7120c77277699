"""Quality over time: of models of several designs, and during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from training.plots.figures import GRID_COLOUR, PALETTE, TEXT_COLOUR, new_figure, rasterize, style_axes
from training.plots.pictures import Picture

ACCURACIES = {
    "shape": "validation.accuracy.shape",
    "scale": "validation.accuracy.scale",
    "pos_x": "validation.accuracy.pos_x",
    "orientation": "validation.accuracy.orientation",
    "orientation, equal images as one class": "validation.accuracy.orientation.merged",
}
PANELS = {
    "accuracy": ACCURACIES,
    "decoded: mean IoU": {"": "validation.decode.iou"},
    "decoded: share of exact images": {"": "validation.decode.exact"},
}


def front(points: Mapping[str, tuple[float, float]], axes_names: tuple[str, str]) -> Picture:
    """Designs as named points (time, error) on logarithmic axes; those on the Pareto front are filled."""
    figure = new_figure(7.2, 4.2)
    axes: Any = figure.subplots()
    for name, point in points.items():
        dominated = any(o[0] <= point[0] and o[1] <= point[1] and o != point for o in points.values())
        axes.loglog(*point, "o", ms=7, color=PALETTE[0], mfc="white" if dominated else PALETTE[0])
        axes.annotate(name, point, (7, 5), textcoords="offset points", size=9, color=TEXT_COLOUR)
    axes.set_xlabel(axes_names[0], size=9, color=TEXT_COLOUR)
    axes.set_ylabel(axes_names[1], size=9, color=TEXT_COLOUR)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.margins(0.15)
    axes.grid(color=GRID_COLOUR)
    axes.set_axisbelow(True)
    style_axes(axes)
    return rasterize(figure)


def time_to_quality(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """Validation scores over minutes, a column for each run: accuracies above, scores of decoding below.

    A history has a row for each report, with ``minutes`` and scores by name.
    """
    figure = new_figure(4.4 * len(histories), 7.2)
    panels: Any = figure.subplots(len(PANELS), len(histories), squeeze=False, sharey="row", sharex="col")
    for column, (run, history) in enumerate(histories.items()):
        minutes = [row["minutes"] for row in history]
        for axes, lines in zip(panels[:, column], PANELS.values(), strict=True):
            for i, (label, name) in enumerate(lines.items()):
                values = [row.get(name) for row in history]
                axes.plot(minutes, values, color=PALETTE[i], lw=1.4, marker=".", ms=4, label=label)
            axes.set_xlim(left=0)
            axes.grid(color=GRID_COLOUR)
            axes.set_axisbelow(True)
            style_axes(axes)
        panels[0, column].set_title(run, size=10, color=TEXT_COLOUR, loc="left")
        panels[-1, column].set_xlabel("minutes", size=9, color=TEXT_COLOUR)
    for axes, label in zip(panels[:, 0], PANELS, strict=True):
        axes.set_ylabel(label, size=9, color=TEXT_COLOUR)
    panels[0, -1].legend(frameon=False, fontsize=8, loc="lower right")
    return rasterize(figure)
