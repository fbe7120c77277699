"""Readings: from weights over classes to a position on the attribute's axis and a confidence. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from attributes.values import Floats


@dataclass(frozen=True)
class Reading:
    """What weights say about one attribute in a batch: each field is [B]. About several attributes it is [B, A]."""

    position: Floats
    """The mean over the most probable class and its neighbours on the axis; a continuous attribute's value."""
    index: NDArray[np.intp]
    """The most probable class; 0 for a continuous attribute."""
    confidence: Floats
    """Probability of that class; 1 for a continuous attribute."""


class Axis(Protocol):
    """The properties of an attribute that a reading depends on."""

    @property
    def kind(self) -> str:
        """nominal, ordinal, circular or continuous."""

    @property
    def size(self) -> int:
        """The number of weights."""

    @property
    def classes(self) -> int:
        """The number of different classes. Class k and class k + ``classes`` are the same."""

    @property
    def extremes(self) -> tuple[float, float]:
        """The lowest and highest accepted value of a continuous attribute."""


def fold_aliases(weights: Floats, classes: int) -> Floats:
    """Weights [..., K] with those of aliases added to the first ``classes`` ones, which they stand for."""
    if weights.shape[-1] == classes:
        return weights
    folded = weights.copy()
    _add_aliases(folded, classes)
    folded[..., classes:] = 0
    return folded


def _add_aliases(weights: Floats, classes: int) -> None:
    """Add the weights [..., K] of aliases to those of the first ``classes`` ones, in place."""
    for start in range(classes, weights.shape[-1], classes):
        aliases = weights[..., start : start + classes]
        weights[..., : aliases.shape[-1]] += aliases


class Reader:
    """Reads several attributes at once: for few images, calls of numpy take longer than what they compute."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        ends = [*accumulate(axis.size for axis in axes)]
        self._total = ends[-1]
        self._starts = np.array([end - axis.size for axis, end in zip(axes, ends, strict=True)])
        with_starts = [*zip(axes, self._starts, strict=True)]
        # The columns of each attribute without its aliases.
        self._columns = [slice(start, start + axis.classes) for axis, start in with_starts]
        # The columns of each attribute with aliases, and its number of classes.
        self._aliased = [
            (slice(start, start + axis.size), axis.classes) for axis, start in with_starts if axis.classes < axis.size
        ]
        # What positions are taken modulo of, and where.
        self._turns = np.array([axis.classes for axis in axes], float)
        self._circular = np.array([axis.kind == "circular" for axis in axes])
        # [2, sum K] the columns of the class before and of the class behind each one. Where there is none, it is the
        # column behind all others, which holds zeros.
        self._neighbours = np.full((2, self._total), self._total)
        for axis, start in with_starts:
            classes = np.arange(axis.classes)
            for neighbours, step in zip(self._neighbours, (-1, 1), strict=True):
                beside = (classes + step) % axis.classes
                exists = axis.kind == "circular" or (axis.kind == "ordinal") & (beside == classes + step)
                neighbours[start + classes] = np.where(exists, start + beside, self._total)
        self._continuous = [i for i, axis in enumerate(axes) if axis.kind == "continuous"]
        self._extremes = np.array([axes[i].extremes for i in self._continuous]).T

    def read(self, weights: Floats) -> Reading:
        """The reading [B, A] of weights [B, sum K]. Values of continuous attributes are clipped to their extremes."""
        # In double precision, as a float32 that was clipped to an extreme may lie beyond it.
        extended = np.zeros((len(weights), self._total + 1))
        extended[:, :-1] = weights
        if self._continuous:
            values = extended[:, self._starts[self._continuous]]
            extended[:, self._starts[self._continuous]] = 1
        for columns, classes in self._aliased:
            _add_aliases(extended[:, columns], classes)
        index = np.empty((len(weights), len(self._columns)), np.intp)  # [B, A]
        for row, columns in zip(index.T, self._columns, strict=True):
            extended[:, columns].argmax(axis=1, out=row)
        column = index + self._starts  # [B, A]
        rows = np.arange(len(weights))[:, None]
        peak = extended[rows, column]
        before, after = extended[rows, self._neighbours[:, column]]
        near = before + peak + after
        position = index + np.divide(after - before, near, out=np.zeros_like(near), where=near != 0)
        position = self.within_turn(position)
        if self._continuous:
            position[:, self._continuous] = values.clip(*self._extremes)
        return Reading(position, index, peak)

    def within_turn(self, positions: Floats) -> Floats:
        """Positions [B, A] with those of circular attributes taken modulo their period."""
        turned = positions.copy()
        for _ in range(2):  # as -1e-20 % 39 is 39.0
            np.remainder(turned, self._turns, out=turned, where=self._circular)
        return turned
