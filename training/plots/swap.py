"""Swap grid: the class of one image in the style of another (Bouchacourt et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attributes import Float32
from training.autoencoder import to_uint8
from training.metrics.context import EvaluationContext, labels_of
from training.metrics.outputs import label_weights, shared
from training.plots.canvas import Picture, grid

SIDE = 10
GROUP = 32
"""At most so many images of a class make the evidence."""


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``swap.png``: classes from the top row, styles from the left column; with a group also ``swap-evidence.png``,
    where the class is the evidence of several images of the class that the top row's image has.

    Of models with a group or conditions whose classes the data has too.
    """
    codebook = context.autoencoder.codebook
    names = (codebook.group.attribute,) if codebook.group else codebook.conditions
    both = shared(context.autoencoder, context.dataset.attributes)
    told = [each for each in both if each.name in names and each.kind != "continuous"]
    if not names or len(told) < len(names):
        return
    classes, known = labels_of(context.dataset, context.rows, told)
    rows = np.flatnonzero(known)
    if len(rows) < 2 * SIDE:
        return
    top = _one_of_each(rows, classes[:, 0])
    left = np.setdiff1d(rows, top)[:SIDE]
    yield "swap.png", swap_grid(context, top, left, _places(context, top)[:, _dimensions(context)])
    if codebook.group:
        gathered = [rows[classes[rows, 0] == each][:GROUP] for each in classes[top, 0]]
        mean, logvar = context.encoded.mean, context.encoded.logvar
        evidence = [codebook.evidence(mean[each], logvar[each])[0] for each in gathered]
        yield "swap-evidence.png", swap_grid(context, top, left, np.stack(evidence).astype(np.float32))


def _one_of_each(rows: NDArray[np.intp], classes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Up to ``SIDE`` rows of different classes, more of each if there are few."""
    ordered = [rows[classes[rows] == each] for each in np.unique(classes[rows])]
    mixed = [each[i] for i in range(SIDE) for each in ordered if i < len(each)]
    return np.array(mixed[:SIDE])


def _dimensions(context: EvaluationContext) -> NDArray[np.intp]:
    """The dimensions of z that hold the class."""
    codebook = context.autoencoder.codebook
    if codebook.group:
        return np.arange(codebook.length)[codebook.grouped[0]]
    parts = [part for part in codebook.parts if part.attribute in codebook.conditions]
    return np.concatenate([np.arange(part.start, part.stop) for part in parts])


def _places(context: EvaluationContext, rows: NDArray[np.intp]) -> Float32:
    """z [N, D] of rows; an encoder that can be told conditions is told what the labels say."""
    if not context.autoencoder.codebook.conditions:
        return context.encoded.z[rows]
    batch = context.dataset.batch(context.rows[rows])
    return context.autoencoder.encode(
        batch.images, label_weights(context.autoencoder, context.dataset.attributes, batch)
    ).z


def swap_grid(context: EvaluationContext, top: NDArray[np.intp], left: NDArray[np.intp], codes: Float32) -> Picture:
    """Images of row indices ``top`` [N] and ``left`` [M], and each class code [N, D'] in each style."""
    own = _dimensions(context)

    def images(places: NDArray[np.intp]) -> NDArray[np.uint8]:
        return context.dataset.batch(context.rows[places]).images

    lines = [np.concatenate([np.zeros_like(images(top[:1])), images(top)])]
    for place, style in zip(left, _places(context, left), strict=True):
        z = np.repeat(style[None], len(codes), axis=0)
        z[:, own] = codes
        lines.append(np.concatenate([images(np.array([place])), to_uint8(context.autoencoder.decode(z))]))
    return grid(lines)
