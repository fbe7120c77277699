"""All that is found in a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.data.dataset import Dataset
from training.inspection.labels import ceiling, class_count, classes, contradictions, positions
from training.inspection.pixels import Pixels
from training.inspection.variance import explained, explained_together, one_hot

# Rows that the variance is measured on, drawn with seed 0; a fifth of them is predicted.
VARIANCE_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class AttributeReport:
    """One attribute's labels."""

    attribute: Attribute
    counts: NDArray[np.intp]
    """Images of each class [K]; of a continuous attribute those of ten equal parts of its range."""
    missing: int
    explained: float
    """The share of the pixels' variance that the attribute alone explains; NaN where nothing varies."""
    ceiling: float
    """The accuracy that equal images with unequal labels leave possible; 1 without such images."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found in a dataset."""

    rows: int
    image_shape: tuple[int, int, int]
    held_out: Mapping[str, int]
    attributes: list[AttributeReport]
    colours: int
    """Different colours of pixels that can be seen."""
    alphas: int
    """Different values of alpha; 1 without transparency."""
    brightest: int
    copies: int
    """Images that are equal to an earlier one."""
    near_copies: int
    """Images that are much like an earlier one, but not equal to any."""
    contradictions: int
    """Images that are equal to another one with other labels."""
    explained: float
    """The share of the pixels' variance on unseen rows that all attributes together predict, each adding its part."""


def inspect(dataset: Dataset) -> Inspection:
    """Look at all images and labels of a dataset."""
    pixels, where = Pixels(dataset), positions(dataset)
    labels = [classes(each, where[:, i]) for i, each in enumerate(dataset.attributes)]  # A times [N]
    counts = [class_count(each) for each in dataset.attributes]
    rows = np.random.default_rng(0).permutation(len(dataset))[:VARIANCE_ROWS]
    images = dataset.batch(rows).images.reshape(len(rows), -1).astype(np.float32) / 255
    reports = [
        AttributeReport(
            attribute=attribute,
            counts=np.bincount(label[label >= 0], minlength=count),
            missing=int((label < 0).sum()),
            explained=explained(images, label[rows], count),
            ceiling=1.0 if attribute.kind == "continuous" else ceiling(label, pixels.keys),
        )
        for attribute, label, count in zip(dataset.attributes, labels, counts, strict=True)
    ]
    _, first, copies = np.unique(pixels.keys, return_index=True, return_counts=True)
    members = [one_hot(label[rows], count) for label, count in zip(labels, counts, strict=True)]
    return Inspection(
        rows=len(dataset),
        image_shape=dataset.image_shape,
        held_out={title: int(out.sum()) for title, out in dataset.held_out_sets.items()},
        attributes=reports,
        colours=int(pixels.colours.sum()),
        alphas=int(pixels.alphas.sum()),
        brightest=pixels.brightest,
        copies=int((copies - 1).sum()),
        near_copies=len(first) - len(np.unique(pixels.small[first])),
        contradictions=contradictions(where, pixels.keys),
        explained=explained_together(images, members),
    )
