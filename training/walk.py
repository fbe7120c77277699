"""Walks through latent space: along each attribute's axis, and straight in what attributes don't tell. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.codebook import Codebook, Float32

Place = tuple[NDArray[Any], NDArray[Any]]
"""z [D] and weights [sum K], as an encoder gives them for one image."""


def walk(codebook: Codebook, start: Place, end: Place, steps: int) -> Float32:
    """z [T, D] of so many steps from one place to another, both included.

    Each attribute moves as ``Attribute.between`` says; the remainder z - place(weights) moves linearly.
    """
    t = np.linspace(0, 1, steps)
    first, last = (_on_axes(codebook, weights) for _, weights in (start, end))
    columns = [(attribute, codebook.attributes.columns(attribute.name)) for attribute in codebook.attributes]
    weights = np.concatenate([attribute.between(first[c], last[c], t) for attribute, c in columns], axis=1)
    left, right = (z - codebook.place(w[None])[0] for (z, _), w in ((start, first), (end, last)))
    z: Float32 = (codebook.place(weights) + left + t[:, None] * (right - left)).astype(np.float32)
    return z


def _on_axes(codebook: Codebook, weights: NDArray[Any]) -> NDArray[Any]:
    """Weights [sum K] of the positions that an encoder's weights say."""
    readings = codebook.attributes.read(weights[None])
    return np.concatenate([a.weights_at(readings[a.name].position)[0] for a in codebook.attributes])
