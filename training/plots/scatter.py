"""Codes as points, coloured by class: two of them, each with each, and all at once by t-SNE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from training.attributes import Attribute
from training.metrics.study import Study, labels_of
from training.plots.canvas import INK, Picture, drawn, figure, plain
from training.plots.latent_grid import sharpest

POINTS = 2_000
PAIRS = 6
LEGEND = 12
"""At most so many classes are named one by one; more become a colour bar."""


def pictures(study: Study) -> Iterator[tuple[str, Picture]]:
    """``scatter.png``, ``pairs.png`` and ``tsne-PART.png``, of the data's first discrete attribute, or the group's."""
    group = study.codec.codebook.group
    wanted = [a for a in study.factors if group is None or a.name == group.attribute][:1]
    if not wanted or study.encoded.mean.shape[1] < 2:
        return
    classes, known = labels_of(study.source, study.rows, wanted)
    shown = np.flatnonzero(known)[:POINTS]
    means, colours = study.encoded.mean[shown], classes[shown, 0]
    yield "scatter.png", scatter(means[:, sharpest(study, 2)], colours, wanted[0], _names(study, 2))
    if len(sharpest(study, PAIRS)) > 2:
        yield "pairs.png", pairs(means[:, sharpest(study, PAIRS)], colours, wanted[0], _names(study, PAIRS))
    parts = {"codes": np.arange(means.shape[1])}
    if group is not None:
        own = np.arange(means.shape[1])[study.codec.codebook.grouped[0]]
        parts = {"class": own, "style": np.setdiff1d(np.arange(means.shape[1]), own)}
    for name, columns in parts.items():
        if len(columns) > 2 and len(shown) > 50:
            placed = TSNE(init="pca", random_state=study.seed).fit_transform(means[:, columns])
            yield f"tsne-{name}.png", scatter(placed, colours, wanted[0], [f"t-SNE of {name}", ""])


def _names(study: Study, count: int) -> list[str]:
    """What the sharpest codes are called."""
    parts = study.codec.codebook.parts
    owner = {part.code: part.attribute for part in parts if part.code is not None and part.stop == part.start + 1}
    return [owner.get(code, f"code {code}") for code in sharpest(study, count)]


def scatter(points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Points [N, 2] coloured by the classes [N] of an attribute."""
    canvas = figure(7.2, 6)
    axes: Any = canvas.subplots()
    _points(axes, points, classes, attribute, 9)
    axes.set_xlabel(names[0], color=INK)
    axes.set_ylabel(names[1], color=INK)
    _legend(canvas, axes, attribute)
    return drawn(canvas)


def pairs(codes: NDArray[Any], classes: NDArray[Any], attribute: Attribute, names: list[str]) -> Picture:
    """Each code [N, C] against each other, histograms of the classes on the diagonal."""
    count = codes.shape[1]
    canvas = figure(1.7 * count + 1.2, 1.7 * count)
    panels: Any = canvas.subplots(count, count, squeeze=False, sharex="col")
    for i in range(count):
        for j in range(count):
            axes = panels[i, j]
            if i == j:
                _histogram(axes, codes[:, i], classes, attribute)
            else:
                _points(axes, codes[:, [j, i]], classes, attribute, 2)
            axes.tick_params(labelsize=6)
            if i == count - 1:
                axes.set_xlabel(names[j], color=INK, size=8)
            if j == 0:
                axes.set_ylabel(names[i], color=INK, size=8)
    _legend(canvas, panels.ravel().tolist(), attribute)
    return drawn(canvas)


def _colours(attribute: Attribute) -> NDArray[Any]:
    """A colour for each class: unlike ones for few, a scale for many, a wheel for a circle."""
    if attribute.kind == "nominal" and attribute.size <= 10:
        return np.asarray(matplotlib.colormaps["tab10"](np.arange(attribute.size)))
    scale = matplotlib.colormaps["twilight" if attribute.kind == "circular" else "viridis"]
    return np.asarray(scale(np.arange(attribute.size) % attribute.classes / max(attribute.classes - 1, 1)))


def _points(axes: Any, points: NDArray[Any], classes: NDArray[Any], attribute: Attribute, size: float) -> None:
    axes.scatter(*points.T, c=_colours(attribute)[classes], s=size, linewidths=0, alpha=0.7)
    plain(axes)


def _histogram(axes: Any, code: NDArray[Any], classes: NDArray[Any], attribute: Attribute) -> None:
    present = np.unique(classes)
    parts = [code[classes == each] for each in present]
    axes.hist(parts, bins=30, stacked=True, color=list(_colours(attribute)[present]))
    plain(axes)
    axes.set_yticks([])


def _legend(canvas: Any, axes: Any, attribute: Attribute) -> None:
    colours = _colours(attribute)
    if attribute.size > LEGEND:
        scale = matplotlib.colors.ListedColormap(colours[: attribute.classes])
        norm = matplotlib.colors.Normalize(0, attribute.classes - 1)
        canvas.colorbar(matplotlib.cm.ScalarMappable(norm, scale), ax=axes, label=attribute.name, shrink=0.6)
        return
    labels = attribute.labels or tuple(map(str, range(attribute.size)))
    marks = [matplotlib.lines.Line2D([], [], marker="o", ls="", color=c, label=n) for c, n in zip(colours, labels)]  # noqa: B905
    canvas.legend(handles=marks, title=attribute.name, loc="outside right center", frameon=False, fontsize=8)
