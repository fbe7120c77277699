"""Codes as points, coloured by class: two codes, and several codes pairwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.metrics.context import EvaluationContext, target_classes
from training.plots.figures import TEXT_COLOUR, new_figure, rasterize, style_axes
from training.plots.latent_grid import code_names, most_informative_codes
from training.plots.pictures import Picture

MAX_POINTS = 2_000
MATRIX_SIDE = 6  # codes of the scatter matrix
MAX_NAMED_CLASSES = 12  # in a legend; more classes become a colour bar


class LabelledCodes(NamedTuple):
    """Codes of some images, and their classes."""

    codes: NDArray[np.float32]
    """[N, L]: means of the posterior."""
    classes: NDArray[np.intp]
    """[N]: classes of the attribute."""
    attribute: Attribute


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``scatter.png`` and ``pairs.png``, coloured by the group's attribute, else by the data's first discrete one."""
    found = labelled_codes(context)
    if found is None or found.codes.shape[1] < 2:
        return
    codes, classes, attribute = found
    two, more = most_informative_codes(context, 2), most_informative_codes(context, MATRIX_SIDE)
    yield "scatter.png", scatter(codes[:, two], classes, attribute, code_names(context, two))
    if len(more) > 2:
        yield "pairs.png", scatter_matrix(codes[:, more], classes, attribute, code_names(context, more))


def labelled_codes(context: EvaluationContext) -> LabelledCodes | None:
    """Codes of at most ``MAX_POINTS`` images and their classes; None if no image has a class."""
    group = context.autoencoder.codebook.group
    wanted = [a for a in context.factor_attributes if group is None or a.name == group.attribute][:1]
    if not wanted:
        return None
    classes, known = target_classes(context.dataset, context.rows, wanted)
    shown = np.flatnonzero(known)[:MAX_POINTS]
    return LabelledCodes(context.encoded.mean[shown], classes[shown, 0], wanted[0]) if len(shown) else None


def scatter(points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Points [N, 2] coloured by the classes [N] of an attribute."""
    figure = new_figure(7.2, 6)
    axes: Any = figure.subplots()
    draw_points(axes, points, classes, attribute, 9)
    axes.set_xlabel(names[0], color=TEXT_COLOUR)
    axes.set_ylabel(names[1], color=TEXT_COLOUR)
    draw_legend(figure, axes, attribute)
    return rasterize(figure)


def scatter_matrix(codes: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Scatter plots of all pairs of codes [N, C], with histograms by class on the diagonal.

    A code has the same scale in all panels.
    """
    count = codes.shape[1]
    figure = new_figure(1.7 * count + 1.2, 1.7 * count)
    panels: Any = figure.subplots(count, count, squeeze=False, sharex="col")
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
                axes.set_xlabel(names[j], color=TEXT_COLOUR, size=8)
            if j == 0:
                axes.set_ylabel(names[i], color=TEXT_COLOUR, size=8)
    draw_legend(figure, panels.ravel().tolist(), attribute)
    return rasterize(figure)


def _extent(code: NDArray[Any]) -> tuple[float, float]:
    low, high = float(code.min()), float(code.max())
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _colours(attribute: Attribute) -> NDArray[Any]:
    """RGB or RGBA [K, 3 or 4] of each class: distinct hues for few nominal ones, a colour wheel for circular ones."""
    if attribute.kind == "nominal" and attribute.size <= 10:
        return np.asarray(matplotlib.colormaps["tab10"](np.arange(attribute.size)))
    index = np.arange(attribute.size) % attribute.classes  # an alias has the colour of its class
    if attribute.kind == "circular":  # the cyclic maps of matplotlib contain white or are too bright
        hue = index / attribute.classes
        return matplotlib.colors.hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.7), np.full_like(hue, 0.8)], axis=1))
    return np.asarray(matplotlib.colormaps["viridis"](index / max(attribute.classes - 1, 1)))


def draw_points(axes: Any, points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, size: float) -> None:
    """Draw points [N, 2] in the colours of their classes [N]; ``size`` is an area in square points (1/72 inch)."""
    axes.scatter(*points.T, c=_colours(attribute)[classes], s=size, linewidths=0, alpha=0.7)
    style_axes(axes)


def _histogram(axes: Any, code: NDArray[Any], classes: NDArray[Any], attribute: Attribute) -> None:
    present = np.unique(classes)
    parts = [code[classes == each] for each in present]
    axes.hist(parts, bins=30, stacked=True, color=list(_colours(attribute)[present]))
    style_axes(axes)
    axes.set_yticks([])


def draw_legend(figure: Any, axes: Any, attribute: Attribute) -> None:
    """Add a legend of the classes, or a colour bar if there are many."""
    colours = _colours(attribute)[: attribute.classes]
    names = attribute.labels or tuple(map(str, range(attribute.classes)))
    if attribute.classes > MAX_NAMED_CLASSES:
        scale = matplotlib.colors.ListedColormap(colours)
        norm = matplotlib.colors.Normalize(-0.5, attribute.classes - 0.5)
        bar = figure.colorbar(matplotlib.cm.ScalarMappable(norm, scale), ax=axes, shrink=0.6)
        bar.set_label(attribute.name, size=9, color=TEXT_COLOUR)
        ticks = np.linspace(0, attribute.classes - 1, 6).round().astype(int)
        bar.set_ticks(ticks, labels=[names[each] for each in ticks], size=8)
        return
    markers = [
        matplotlib.lines.Line2D([], [], marker="o", ls="", color=colour, label=name)
        for colour, name in zip(colours, names, strict=True)
    ]
    figure.legend(handles=markers, title=attribute.name, loc="outside right center", frameon=False, fontsize=8)
