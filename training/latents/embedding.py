"""Where the classes of an attribute lie in latent space: z = weights @ matrix + offset, with one row per class."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from attributes import Attribute, Mixing


class Embedding(NamedTuple):
    """One latent variable's block of the codebook: z = weights @ matrix + offset."""

    matrix: Tensor
    """[K, D] one row per class, or the unit matrix of continuous attributes."""
    offset: Tensor
    """[D]."""


def alias_matrix(attribute: Attribute) -> Tensor:
    """[K, K]: row k is one-hot at the class that k has the value of. That is k itself unless k is an alias."""
    return torch.eye(attribute.size)[torch.arange(attribute.size) % attribute.classes]


def index_matrix(attribute: Attribute, scale: float, offset: float = 0.0) -> Tensor:
    """[K, 1]: scale * index + offset of each class. An alias has the number of the class that it stands for."""
    index = torch.arange(attribute.size) % attribute.classes
    return scale * index[:, None] + offset


def index_mixing(attribute: Attribute) -> Mixing:
    """How weights between classes are decoded where all classes lie on one axis.

    The number of a third class may lie between two numbers of a nominal attribute, and between the last and the first
    class of a circular one. Such weights are rounded to the nearest class.
    """
    return "nearest" if attribute.kind in ("nominal", "circular") else "linear"


def class_centroids(attribute: Attribute, mean: Tensor, weights: Tensor, precision: Tensor) -> Tensor:
    """The centroid [K, D] of each class: the average of means [N, D] by precision [N, D] and class weights [N, K].

    A class without any weight gets the centroid of all rows. An alias gets the centroid of its class.
    """
    weights = weights @ alias_matrix(attribute).to(weights)
    total = weights.T @ precision  # [K, D]
    overall = (precision * mean).sum(dim=0) / precision.sum(dim=0)  # [D]
    centroids = torch.where(total > 0, (weights.T @ (precision * mean)) / total.clamp_min(1e-30), overall)
    return centroids[torch.arange(attribute.size) % attribute.classes]
