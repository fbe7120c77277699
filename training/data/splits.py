"""Which rows are never trained on, so that scores mean something.

Unseen *combinations* of attributes tell whether a model puts known values together anew, as people ask of it. Unseen
*images* of known combinations tell whether it knows more than the images that it was trained on. A column of the table
may say it instead. In any case every class stays in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.data.cells import Cells
from training.data.dataset import HELD_OUT, DataError, lowest_tenth, splitmix64

COMBINATIONS, IMAGES, COLUMN = "combinations", "images", "split"
# With fewer combinations, or a smaller share of rows that can be held out, combinations are no sample.
MIN_COMBINATIONS = 30
MIN_SHARE = HELD_OUT / 4
# Different images for each combination, from which on unseen images of known combinations are held out as well.
MIN_IMAGES = 1.5

Mask = NDArray[np.bool_]
Keys = NDArray[np.uint64]


class Split(NamedTuple):
    """Which rows are held out, and why."""

    way: str
    """``combinations``, ``images`` or ``split``."""
    sets: Mapping[str, Mask]
    """The held-out rows [N] by what they tell."""
    reason: str
    """The way in words."""

    @property
    def held_out(self) -> Mask:
        """All held-out rows [N]."""
        return np.asarray(np.any(list(self.sets.values()), axis=0))


def split(way: str, attributes: Attributes, positions: NDArray[np.float64], images: Keys, parts: Cells | None) -> Split:
    """The rows to hold out.

    ``way`` is one of those of ``Split``, or empty for the one that means most. ``positions`` [N, A] lie on the
    attributes' axes, ``images`` [N] is the same for rows with the same image, and ``parts`` names the part of the data
    that each row belongs to, if the data says so. Raises DataError if combinations are asked for and tell nothing.
    """
    classes = _classes(attributes, positions)
    if parts is not None and way in ("", COLUMN):
        return _by_parts(parts)
    if way in ("", COMBINATIONS):
        if found := _by_combinations(classes, images):
            return found
        if way:
            raise DataError(
                f"--hold-out {COMBINATIONS}: needs two attributes with classes and {MIN_COMBINATIONS} combinations of "
                f"them, of which enough can be held out while each class is trained on; take --hold-out {IMAGES}"
            )
    out = _with_every_class_trained(lowest_tenth(images), images, classes)
    return Split(IMAGES, {"held out": out}, "a tenth of the different images")


def _classes(attributes: Attributes, positions: NDArray[np.float64]) -> NDArray[np.intp]:
    """The class [N, A'] of each attribute that has classes; -1 where it is not known."""
    discrete = [(i, each) for i, each in enumerate(attributes) if each.kind != "continuous"]
    columns = [
        np.where(np.isnan(positions[:, i]), -1, np.round(np.nan_to_num(positions[:, i])) % each.classes).astype(np.intp)
        for i, each in discrete
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(positions), 0), np.intp)


def _by_parts(parts: Cells) -> Split:
    names = np.array([cell.text for cell in parts.distinct])[parts.codes]
    sets = {name: names == name for name in ("test", "validation") if (names == name).any()}
    if len(sets) == 1:
        sets = {"held out": next(iter(sets.values()))}
    return Split(COLUMN, sets or {"held out": np.zeros(len(names), np.bool_)}, "as the data says")


def _by_combinations(classes: NDArray[np.intp], images: Keys) -> Split | None:
    """A tenth of the combinations, and images of others; None if combinations tell nothing."""
    keys = np.zeros(len(classes), np.uint64)
    for column in classes.T:
        keys = splitmix64(keys ^ (column + 1).astype(np.uint64))
    combinations = len(np.unique(keys))
    if classes.shape[1] < 2 or combinations < MIN_COMBINATIONS:
        return None
    out = _with_every_class_trained(lowest_tenth(keys), keys, classes)
    if out.mean() < MIN_SHARE:
        return None
    pairs = np.unique(np.stack([keys, images], axis=1), axis=0)
    reason = f"a tenth of the {combinations:,} combinations of attributes"
    if len(pairs) < MIN_IMAGES * combinations:
        return Split(COMBINATIONS, {"held out": out}, reason)
    unseen = _with_every_class_trained(out | lowest_tenth(images), images, classes) & ~out
    return Split(
        COMBINATIONS,
        {"unseen combinations": out, "unseen images": unseen},
        f"{reason}, and a tenth of the different images of the others",
    )


def _with_every_class_trained(out: Mask, keys: Keys, classes: NDArray[np.intp]) -> Mask:
    """The held-out rows [N] without those that a class needs; rows with the same key stay on one side."""
    out = out.copy()
    for column in classes.T:
        for missing in np.setdiff1d(column[out], column[~out]):
            first = keys[np.flatnonzero(out & (column == missing))[:1]]
            out &= ~np.isin(keys, first)
    return out
