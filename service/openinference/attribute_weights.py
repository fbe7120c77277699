"""Attribute weights as tensors [B, sum K]: their bounds, and how they are normalised."""

from __future__ import annotations

import numpy as np

from attributes import Attributes, Float32, Floats
from service.problems import Problem


def bounds(attributes: Attributes) -> tuple[Float32, Float32]:
    """The lowest and the highest weights [sum K]: from 0 for classes, the limits of the value if continuous."""
    low, high = np.zeros(attributes.total, np.float32), np.full(attributes.total, np.finfo(np.float32).max)
    for attribute in attributes:
        if attribute.kind == "continuous":
            low[attributes.columns(attribute.name)], high[attributes.columns(attribute.name)] = attribute.extremes
    return low, high


def normalised(attributes: Attributes, weights: Float32) -> Floats:
    """Weights [B, sum K] within bounds so that each attribute's classes sum to 1, with aliases folded.

    Raises Problem 422 where all classes of an attribute have weight 0.
    """
    blocks = []
    for attribute in attributes:
        columns = attributes.columns(attribute.name)
        block: Floats = weights[:, columns].astype(np.float64)
        if attribute.kind != "continuous":
            total = block.sum(axis=1, keepdims=True)
            if not total.all():
                raise Problem(
                    422, f"weights[{total.argmin()}]: {attribute.name}: got only 0; accepts weights >= 0, not all 0"
                )
            block = attribute.fold(block / total)
        blocks.append(block)
    return np.concatenate(blocks, axis=1)
