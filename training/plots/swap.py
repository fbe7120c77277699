"""Swap grid: the class of one image in the style of another (Bouchacourt et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attributes import Float32
from training.autoencoder import to_uint8
from training.metrics.context import EvaluationContext, target_classes
from training.metrics.predictions import shared_attributes, target_weights
from training.plots.pictures import Picture, grid

SIDE = 10  # classes, and styles, of the grid
GROUP = 32  # images of a class for its evidence, at most


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``swap.png``: images with the class of the top row and the style of the left column.

    With a group also ``swap-evidence.png``, where the class comes from the evidence of several images of that class.
    Of models with a group or conditions whose attributes the data has too.
    """
    codebook = context.autoencoder.codebook
    names = (codebook.group.attribute,) if codebook.group else codebook.conditions
    shared = shared_attributes(context.autoencoder, context.dataset.attributes)
    attributes = [each for each in shared if each.name in names and each.kind != "continuous"]
    if not names or len(attributes) < len(names):
        return
    classes, known = target_classes(context.dataset, context.rows, attributes)
    rows = np.flatnonzero(known)
    if len(rows) < 2 * SIDE:
        return
    top = _one_of_each(rows, classes[:, 0])
    left = np.setdiff1d(rows, top)[:SIDE]
    yield "swap.png", swap_grid(context, top, left, _latents(context, top)[:, _dimensions(context)])
    if codebook.group:
        groups = [rows[classes[rows, 0] == each][:GROUP] for each in classes[top, 0]]
        mean, logvar = context.encoded.mean, context.encoded.logvar
        evidence = [codebook.evidence(mean[each], logvar[each])[0] for each in groups]
        yield "swap-evidence.png", swap_grid(context, top, left, np.stack(evidence).astype(np.float32))


def _one_of_each(rows: NDArray[np.intp], classes: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most ``SIDE`` rows that take the classes in turn."""
    ordered = [rows[classes[rows] == each] for each in np.unique(classes[rows])]
    mixed = [each[i] for i in range(SIDE) for each in ordered if i < len(each)]
    return np.array(mixed[:SIDE])


def _dimensions(context: EvaluationContext) -> NDArray[np.intp]:
    """The dimensions [D'] of z that hold the class."""
    codebook = context.autoencoder.codebook
    if codebook.group:
        return np.arange(codebook.length)[codebook.grouped[0]]
    parts = [part for part in codebook.parts if part.attribute in codebook.conditions]
    return np.concatenate([np.arange(part.start, part.stop) for part in parts])


def _latents(context: EvaluationContext, rows: NDArray[np.intp]) -> Float32:
    """z [N, D] of rows [N]; an encoder with conditions gets those of the labels."""
    if not context.autoencoder.codebook.conditions:
        return context.encoded.z[rows]
    batch = context.dataset.batch(context.rows[rows])
    return context.autoencoder.encode(
        batch.images, target_weights(context.autoencoder, context.dataset.attributes, batch)
    ).z


def swap_grid(context: EvaluationContext, top: NDArray[np.intp], left: NDArray[np.intp], codes: Float32) -> Picture:
    """A grid: images ``top`` [N] in the first row, ``left`` [M] in the first column, and each class in each style.

    ``codes`` [N, D'] are the classes; ``top`` and ``left`` are indices into the context's rows.
    """
    class_dimensions = _dimensions(context)

    def images(rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        return context.dataset.batch(context.rows[rows]).images

    lines = [np.concatenate([np.zeros_like(images(top[:1])), images(top)])]
    for row, style in zip(left, _latents(context, left), strict=True):
        z = np.repeat(style[None], len(codes), axis=0)
        z[:, class_dimensions] = codes
        lines.append(np.concatenate([images(np.array([row])), to_uint8(context.autoencoder.decode(z))]))
    return grid(lines)
