"""All codes in the plane by t-SNE (van der Maaten and Hinton 2008), coloured by class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.manifold import TSNE

from training.metrics.context import EvaluationContext
from training.plots.figures import TEXT_COLOUR, new_figure, rasterize
from training.plots.pictures import Picture
from training.plots.scatter import LabelledCodes, draw_legend, draw_points, labelled_codes

MIN_IMAGES = 51  # t-SNE has to have more images than its perplexity, 30

# Smallest standard deviation of the codes: scikit-learn divides by it, and crashes if all codes are equal.
MIN_DEVIATION = 1e-6


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``tsne-codes.png`` of all codes; for models with a group instead ``tsne-class.png`` and ``tsne-style.png``."""
    found = labelled_codes(context)
    if found is None or len(found.codes) < MIN_IMAGES:
        return
    every = np.arange(found.codes.shape[1])
    parts = {"codes": every}
    if context.autoencoder.codebook.group is not None:
        group = every[context.autoencoder.codebook.grouped[0]]
        parts = {"class": group, "style": np.setdiff1d(every, group)}
    for name, columns in parts.items():
        codes = found.codes[:, columns]
        if len(columns) > 2 and codes.std(axis=0).max() > MIN_DEVIATION:
            yield f"tsne-{name}.png", tsne(found._replace(codes=codes), name, context.seed)


def tsne(found: LabelledCodes, name: str, seed: int) -> Picture:
    """Codes [N, L] as points in the plane. Without axes, as distances between clusters mean nothing."""
    figure = new_figure(7.2, 6)
    axes: Any = figure.subplots()
    points = TSNE(init="pca", random_state=seed).fit_transform(found.codes)
    draw_points(axes, points, found.classes, found.attribute, 9)
    axes.set_title(f"t-SNE of {name}, {len(points):,} images", size=10, color=TEXT_COLOUR, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    draw_legend(figure, axes, found.attribute)
    return rasterize(figure)
