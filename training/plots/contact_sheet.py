"""Contact sheets: examples of each class of an attribute, a row for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.inspection.labels import class_names, classes, positions
from training.plots.pictures import COLUMNS, Picture, grid, upscale, with_row_names

# Rows of a sheet; of more classes the most frequent ones are shown.
MAX_ROWS = 24
# Images are enlarged by a whole factor up to about this many pixels.
SIDE = 64


def contact_sheets(dataset: Dataset) -> Iterator[tuple[str, Picture]]:
    """The name and the sheet of each attribute."""
    where = positions(dataset)
    for i, attribute in enumerate(dataset.attributes):
        yield attribute.name, contact_sheet(dataset, classes(attribute, where[:, i]), class_names(attribute))


def contact_sheet(dataset: Dataset, classes: NDArray[np.intp], names: Sequence[str]) -> Picture:
    """Images of each class that has any, drawn with seed 0, on a grey ground where they are transparent.

    ``classes`` [N] are those of the rows, -1 where it is not known, and ``names`` [K] are the names of the classes.
    """
    counts = np.bincount(classes[classes >= 0], minlength=len(names))
    shown = np.sort(np.argsort(-counts, kind="stable")[:MAX_ROWS])
    shown = shown[counts[shown] > 0]
    rng = np.random.default_rng(0)
    rows = [dataset.batch(np.sort(rng.permutation(np.flatnonzero(classes == each))[:COLUMNS])).images for each in shown]
    factor = max(1, SIDE // max(dataset.image_shape[:2]))
    return with_row_names(upscale(grid(rows), factor), [f"{names[each]} ({counts[each]:,})" for each in shown])
