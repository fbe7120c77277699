"""The codebook: the linear map from attribute weights to latent space, for every system. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attributes.attributes import Attributes

Mixing = Literal["linear", "nearest"]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """The latent dimensions that belong to one attribute."""

    attribute: str
    start: int
    stop: int
    """The dimensions start..stop of z, without ``stop``."""
    mixing: Mixing = "linear"
    """``linear``: weights between classes mix their rows. ``nearest``: they give the row of the most probable class,
    where a mixture would mean something else (half square and half heart is no ellipse)."""
    code: int | None = None
    """The first of its codes in the posterior. None if it has none, or if that is not known."""


@dataclass(frozen=True)
class Group:
    """The attribute whose class an encoder infers from what a group of images shares (Bouchacourt et al. 2018).

    No classifier predicts it: its weights are proportional to exp(-|z - row|^2 / 2 tau^2) over its part of z.
    """

    attribute: str
    tau: float


def product_of_gaussians(mean: NDArray[Any], logvar: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and log-variance [L] of the product of Gaussians [N, L]: 1/V = sum 1/var, M = V sum mean/var."""
    log_precision = -logvar.astype(np.float64)
    log_total = np.logaddexp.reduce(log_precision, axis=0)  # in logarithms, as exp may overflow
    return (np.exp(log_precision - log_total) * mean).sum(axis=0), -log_total


@dataclass(frozen=True)
class Codebook:
    """z = weights @ matrix + offset, with ``matrix`` [sum K, D] and ``offset`` [D].

    ``conditions`` are the attributes that the encoder may be given besides the image.
    """

    attributes: Attributes
    parts: tuple[Part, ...]
    matrix: Float32
    offset: Float32
    conditions: tuple[str, ...] = ()
    group: Group | None = None

    @property
    def length(self) -> int:
        """D, the length of z."""
        return len(self.offset)

    @cached_property
    def _double(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.matrix.astype(np.float64), self.offset.astype(np.float64)  # cached, as every product needs them

    @cached_property
    def snapped(self) -> tuple[str, ...]:
        """Names of the attributes that can't be mixed."""
        return tuple(part.attribute for part in self.parts if part.mixing == "nearest")

    def part(self, attribute: str) -> Part | None:
        """The part of z that belongs to an attribute; None if it has none."""
        return next((part for part in self.parts if part.attribute == attribute), None)

    def place(self, weights: NDArray[Any]) -> Float32:
        """z [B, D] of weights [B, sum K]."""
        matrix, offset = self._double
        return (self._snap(weights) @ matrix + offset).astype(np.float32)

    def edit(self, z: Float32, old: NDArray[Any], new: NDArray[Any]) -> Float32:
        """z [B, D] with the weights ``new`` in place of ``old`` [B, sum K]. What attributes don't tell stays."""
        edited: Float32 = (z + (self._snap(new) - self._snap(old)) @ self.matrix).astype(np.float32)
        return edited

    @property
    def grouped(self) -> tuple[slice, slice]:
        """The group's dimensions of z, and its columns among the weights. Only for models with a group."""
        part = self._group_part
        return slice(part.start, part.stop), self.attributes.columns(part.attribute)

    def evidence(self, mean: NDArray[Any], logvar: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mean and log-variance [L'] of a group, from the posterior mean and logvar [B, L] of its images.

        The evidence is the product of their Gaussians (Bouchacourt et al. 2018, eq. 9). Only for models with a group.
        Its codes are its part of z.
        """
        part = self._group_part
        first = part.start if part.code is None else part.code
        own = slice(first, first + part.stop - part.start)
        return product_of_gaussians(mean[:, own], logvar[:, own])

    def group_weights(self, code: NDArray[Any]) -> NDArray[Any]:
        """Weights [B, K] of the group's attribute for codes [B, L'], which are its part of z."""
        own, columns = self.grouped
        assert self.group is not None
        rows = self.matrix[columns, own] + self.offset[own]
        squares = ((code[:, None] - rows) ** 2).sum(axis=2)
        logits = -(squares - squares.min(axis=1, keepdims=True)) / (2 * self.group.tau**2)
        likely = np.exp(logits)
        weights: NDArray[Any] = likely / likely.sum(axis=1, keepdims=True)
        return weights

    @property
    def _group_part(self) -> Part:
        part = self.part(self.group.attribute) if self.group else None
        assert part is not None
        return part

    def _snap(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Weights [B, sum K] with those of attributes that can't be mixed as 1 for the most probable class."""
        if not self.snapped:
            return weights
        snapped, rows = weights.copy(), np.arange(len(weights))
        for name in self.snapped:
            attribute, columns = self.attributes.named(name), self.attributes.columns(name)
            folded = attribute.fold(weights[:, columns].astype(np.float64))  # [B, K]
            nearest = folded[:, : attribute.classes].argmax(axis=1)  # [B]
            snapped[:, columns] = 0
            snapped[rows, columns.start + nearest] = 1
        return snapped
