"""Walks through latent space: along each attribute's axis, and straight in what attributes don't tell. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes.attributes import Attributes, Floats
from attributes.codebook import Codebook, Float32

Place = tuple[NDArray[Any], NDArray[Any]]
"""z [D] and weights [sum K], as an encoder gives them for one image."""


@dataclass(frozen=True)
class KeyFrame:
    """Attribute weights [sum K], and the remainder [D]: what of an image's z they don't tell."""

    weights: Floats
    remainder: Floats


def of_image(codebook: Codebook, z: NDArray[Any], weights: NDArray[Any]) -> KeyFrame:
    """The key frame of an image that the encoder gave z [D] and weights [sum K]: its positions and its remainder."""
    positions = codebook.attributes.weights_at(codebook.attributes.read(weights[None]).position)
    return KeyFrame(positions[0], z - codebook.place(positions)[0])


def between(attributes: Attributes, start: Floats, end: Floats, t: Floats) -> Floats:
    """Weights [T, sum K] at shares t [T] of the way: each attribute moves as ``Attribute.between`` says."""
    columns = [(attribute, attributes.columns(attribute.name)) for attribute in attributes]
    return np.concatenate([attribute.between(start[c], end[c], t) for attribute, c in columns], axis=1)


def walk(codebook: Codebook, start: Place, end: Place, steps: int) -> Float32:
    """z [T, D] of so many steps from one place to another, both included; the remainder moves linearly."""
    t = np.linspace(0, 1, steps)
    first, last = (of_image(codebook, *place) for place in (start, end))
    weights = between(codebook.attributes, first.weights, last.weights, t)
    remainder = first.remainder + t[:, None] * (last.remainder - first.remainder)
    z: Float32 = (codebook.place(weights) + remainder).astype(np.float32)
    return z
