"""The metric of Higgins et al. 2017 (beta-VAE): which factor was held fixed, told from differences of codes.

As in disentanglement_lib: batches of 64 pairs that share one factor's class; logistic regression on the mean absolute
difference of the codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.metrics.context import EvaluationContext
from training.metrics.fixed_factor import FixedFactor

PAIRS, TRAIN, TEST = 64, 2_000, 1_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``beta_vae``: accuracy on draws that were not learned from; not for data with a single factor."""
    codes, _, factors, _ = context.representation
    if factors.shape[1] > 1:
        yield "beta_vae", beta_vae(codes, factors, context.seed)


def beta_vae(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """The metric of codes [N, C] and factors [N, F], from 1/F by chance to 1."""
    draw = FixedFactor(factors, seed)
    fixed, differences = [], []
    for _ in range(TRAIN + TEST):
        factor, rows = draw(2 * PAIRS)
        fixed.append(factor)
        differences.append(np.abs(codes[rows[:PAIRS]] - codes[rows[PAIRS:]]).mean(axis=0))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(differences[:TRAIN], fixed[:TRAIN])
    return float(model.score(differences[TRAIN:], fixed[TRAIN:]))
