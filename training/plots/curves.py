"""Losses and schedules of several runs together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import EngFormatter

from training.plots.figures import GRID_COLOUR, PALETTE, TEXT_COLOUR, new_figure, rasterize, style_axes
from training.plots.pictures import Picture

History = Sequence[Mapping[str, float]]  # a row per report
COLUMNS = 3
CURVES = "curves.png"
DASHES = ("-", "--", ":", "-.")  # the next one when all colours are used


def curves(histories: Mapping[str, History]) -> Picture:
    """A panel for each quantity over images seen, a line for each run; logarithmic if values span decades."""
    names = list(dict.fromkeys(key for history in histories.values() for row in history for key in row if "." in key))
    most = max([1, *(row["images"] for history in histories.values() for row in history)])
    down = max(1, math.ceil(len(names) / COLUMNS))
    figure = new_figure(3.6 * COLUMNS, 2.3 * down + 0.4 + 0.22 * len(histories))
    panels: Any = figure.subplots(down, COLUMNS, squeeze=False)
    for axes, name in zip(panels.ravel(), names, strict=False):
        _panel(axes, name, histories)
        axes.set_xlim(-0.02 * most, 1.02 * most)
    for axes in panels.ravel()[len(names) :]:
        axes.axis("off")
    for axes in panels.ravel()[max(0, len(names) - COLUMNS) : len(names)]:
        axes.set_xlabel("images seen", size=8, color=TEXT_COLOUR)
    handles, labels = panels.ravel()[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", frameon=False, fontsize=8)
    return rasterize(figure)


def _panel(axes: Any, name: str, histories: Mapping[str, History]) -> None:
    values: list[float] = []
    for i, (run, history) in enumerate(histories.items()):
        rows = [(row["images"], row[name]) for row in history if name in row]
        values += [value for _, value in rows]
        x, y = zip(*rows, strict=True) if rows else ((), ())
        dash = DASHES[i // len(PALETTE) % len(DASHES)]
        axes.plot(x, y, dash, color=PALETTE[i % len(PALETTE)], lw=1.4, marker=".", ms=3, label=run)
    if values and min(values) > 0 and max(values) / min(values) > 20:
        axes.set_yscale("log")
    axes.set_title(name, size=8, color=TEXT_COLOUR, loc="left")
    axes.grid(color=GRID_COLOUR)
    axes.set_axisbelow(True)
    style_axes(axes)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
