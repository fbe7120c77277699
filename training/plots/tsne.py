"""All codes at once in the plane, coloured by class (t-SNE: van der Maaten and Hinton 2008)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.manifold import TSNE

from training.metrics.context import EvaluationContext
from training.plots.canvas import INK, Picture, drawn, figure
from training.plots.scatter import LabelledCodes, draw_legend, draw_points, labelled_codes

FEWEST = 50
"""Images that it needs more of: its usual perplexity is 30."""
SPREAD = 1e-6
"""Standard deviation that some code needs: scikit-learn divides by it, and crashes where all images are alike."""


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``tsne-codes.png`` of all codes; of models with a group ``tsne-class.png`` and ``tsne-style.png``."""
    found = labelled_codes(context)
    if found is None or len(found.codes) <= FEWEST:
        return
    every = np.arange(found.codes.shape[1])
    parts = {"codes": every}
    if context.autoencoder.codebook.group is not None:
        own = every[context.autoencoder.codebook.grouped[0]]
        parts = {"class": own, "style": np.setdiff1d(every, own)}
    for name, columns in parts.items():
        codes = found.codes[:, columns]
        if len(columns) > 2 and codes.std(axis=0).max() > SPREAD:
            yield f"tsne-{name}.png", tsne(found._replace(codes=codes), name, context.seed)


def tsne(found: LabelledCodes, name: str, seed: int) -> Picture:
    """Codes as points whose neighbours are theirs; no axes, as distances between clusters mean nothing."""
    canvas = figure(7.2, 6)
    axes: Any = canvas.subplots()
    placed = TSNE(init="pca", random_state=seed).fit_transform(found.codes)
    draw_points(axes, placed, found.classes, found.attribute, 9)
    axes.set_title(f"t-SNE of {name}, {len(placed):,} images", size=10, color=INK, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    draw_legend(canvas, axes, found.attribute)
    return drawn(canvas)
