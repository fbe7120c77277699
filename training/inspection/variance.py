"""Which attributes settle the picture: shares of the variance of pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Ridge penalty of the prediction, as a share of the rows.
RIDGE = 1e-3
Images = NDArray[np.floating[Any]]


def one_hot(classes: NDArray[np.intp], count: int) -> Images:
    """Classes [N] as rows [N, K] with a 1 at each; zeros where a class is -1."""
    return np.eye(count + 1, dtype=np.float32)[classes][:, :count]


def explained(images: Images, classes: NDArray[np.intp], count: int) -> float:
    """The share of the variance of labelled images [N, P] that lies between their classes [N] (eta squared).

    All pixels count together; NaN where nothing varies.
    """
    known = classes >= 0
    members = one_hot(classes, count)  # [N, K]
    sizes = members.sum(axis=0)[:, None]
    means = members.T @ images / np.maximum(sizes, 1)  # [K, P]
    total = _variance(images, known)
    if not total > 0:
        return math.nan
    mean = (sizes * means).sum(axis=0) / sizes.sum()
    return float((sizes * (means - mean) ** 2).sum() / total)


def _variance(images: Images, known: NDArray[np.bool_]) -> float:
    weights = known.astype(np.float32)
    mean = weights @ images / max(1.0, float(weights.sum()))
    return float(weights @ ((images - mean) ** 2).sum(axis=1))


def explained_together(images: Images, members: Sequence[Images]) -> float:
    """R squared of the last fifth of images [N, P], predicted by ridge regression from the ``members`` [N, K] of all
    attributes, each of which adds its part; NaN where nothing varies.
    """
    design = np.concatenate([np.ones((len(images), 1), np.float32), *members], axis=1)
    split = len(images) * 4 // 5
    if split == 0:
        return math.nan
    penalty = RIDGE * split * np.eye(design.shape[1], dtype=np.float32)
    weights = np.linalg.solve(design[:split].T @ design[:split] + penalty, design[:split].T @ images[:split])
    unseen = images[split:]
    left = float(((unseen - design[split:] @ weights) ** 2).sum())
    total = float(((unseen - images[:split].mean(axis=0)) ** 2).sum())
    return 1 - left / total if total > 0 else math.nan
