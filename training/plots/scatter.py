"""Codes as points, coloured by class: two of them, and each with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.metrics.context import EvaluationContext, labels_of
from training.plots.canvas import INK, Picture, drawn, figure, plain
from training.plots.latent_grid import code_names, sharpest

POINTS = 2_000
PAIRS = 6
LEGEND = 12
"""At most so many classes are named one by one; more become a colour bar."""


class LabelledCodes(NamedTuple):
    """Codes of some images, and their classes."""

    codes: NDArray[np.float32]
    """[N, L] means of the posterior."""
    classes: NDArray[np.intp]
    """[N] of the attribute."""
    attribute: Attribute


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``scatter.png`` and ``pairs.png``, coloured by the data's first discrete attribute, or the group's."""
    found = labelled_codes(context)
    if found is None or found.codes.shape[1] < 2:
        return
    codes, classes, attribute = found
    two, more = sharpest(context, 2), sharpest(context, PAIRS)
    yield "scatter.png", scatter(codes[:, two], classes, attribute, code_names(context, two))
    if len(more) > 2:
        yield "pairs.png", pairs(codes[:, more], classes, attribute, code_names(context, more))


def labelled_codes(context: EvaluationContext) -> LabelledCodes | None:
    """Codes of at most 2,000 images and their classes; None where the data has no such labels."""
    group = context.autoencoder.codebook.group
    wanted = [a for a in context.factors if group is None or a.name == group.attribute][:1]
    if not wanted:
        return None
    classes, known = labels_of(context.dataset, context.rows, wanted)
    shown = np.flatnonzero(known)[:POINTS]
    return LabelledCodes(context.encoded.mean[shown], classes[shown, 0], wanted[0]) if len(shown) else None


def scatter(points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Points [N, 2] coloured by the classes [N] of an attribute."""
    canvas = figure(7.2, 6)
    axes: Any = canvas.subplots()
    draw_points(axes, points, classes, attribute, 9)
    axes.set_xlabel(names[0], color=INK)
    axes.set_ylabel(names[1], color=INK)
    draw_legend(canvas, axes, attribute)
    return drawn(canvas)


def pairs(codes: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Each code [N, C] against each other, histograms of the classes on the diagonal; a code's scale is everywhere the
    same.
    """
    count = codes.shape[1]
    canvas = figure(1.7 * count + 1.2, 1.7 * count)
    panels: Any = canvas.subplots(count, count, squeeze=False, sharex="col")
    for i in range(count):
        for j in range(count):
            axes = panels[i, j]
            if i == j:
                _histogram(axes, codes[:, i], classes, attribute)
            else:
                draw_points(axes, codes[:, [j, i]], classes, attribute, 2)
                axes.set_ylim(_extent(codes[:, i]))
            axes.set_xlim(_extent(codes[:, j]))
            axes.tick_params(labelsize=6, labelleft=j == 0)
            if i == count - 1:
                axes.set_xlabel(names[j], color=INK, size=8)
            if j == 0:
                axes.set_ylabel(names[i], color=INK, size=8)
    draw_legend(canvas, panels.ravel().tolist(), attribute)
    return drawn(canvas)


def _extent(code: NDArray[Any]) -> tuple[float, float]:
    low, high = float(code.min()), float(code.max())
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _colours(attribute: Attribute) -> NDArray[Any]:
    """A colour for each class: unlike ones for few, a scale for many, a wheel for a circle."""
    if attribute.kind == "nominal" and attribute.size <= 10:
        return np.asarray(matplotlib.colormaps["tab10"](np.arange(attribute.size)))
    place = np.arange(attribute.size) % attribute.classes
    if attribute.kind == "circular":  # matplotlib's own wheels fade to white, or are garish
        hue = place / attribute.classes
        return matplotlib.colors.hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.7), np.full_like(hue, 0.8)], axis=1))
    return np.asarray(matplotlib.colormaps["viridis"](place / max(attribute.classes - 1, 1)))


def draw_points(axes: Any, points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, size: float) -> None:
    """Points [N, 2] of so many square points each, in their classes' colours."""
    axes.scatter(*points.T, c=_colours(attribute)[classes], s=size, linewidths=0, alpha=0.7)
    plain(axes)


def _histogram(axes: Any, code: NDArray[Any], classes: NDArray[Any], attribute: Attribute) -> None:
    present = np.unique(classes)
    parts = [code[classes == each] for each in present]
    axes.hist(parts, bins=30, stacked=True, color=list(_colours(attribute)[present]))
    plain(axes)
    axes.set_yticks([])


def draw_legend(canvas: Any, axes: Any, attribute: Attribute) -> None:
    """What the colours mean: a legend of few classes, a colour bar of many."""
    colours = _colours(attribute)[: attribute.classes]
    labels = attribute.labels or tuple(map(str, range(attribute.classes)))
    if attribute.classes > LEGEND:
        scale = matplotlib.colors.ListedColormap(colours)
        norm = matplotlib.colors.Normalize(-0.5, attribute.classes - 0.5)
        bar = canvas.colorbar(matplotlib.cm.ScalarMappable(norm, scale), ax=axes, shrink=0.6)
        bar.set_label(attribute.name, size=9, color=INK)
        named = np.linspace(0, attribute.classes - 1, 6).round().astype(int)
        bar.set_ticks(named, labels=[labels[each] for each in named], size=8)
        return
    line = matplotlib.lines.Line2D
    pairs = zip(colours, labels, strict=True)
    marks = [line([], [], marker="o", ls="", color=colour, label=label) for colour, label in pairs]
    canvas.legend(handles=marks, title=attribute.name, loc="outside right center", frameon=False, fontsize=8)
