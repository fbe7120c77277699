"""The BetaVAE score (Higgins et al. 2017): the accuracy of predicting which factor was held fixed.

As in disentanglement_lib: a batch is 64 pairs of images that share one factor's class, and logistic regression predicts
that factor from the mean absolute difference of the pairs' codes.
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
from training.metrics.fixed_factor import FixedFactorSampler

PAIRS = 64
TRAIN_BATCHES, TEST_BATCHES = 2_000, 1_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``beta_vae``; nothing for data with a single factor."""
    codes, _, factors, _ = context.codes_and_factors
    if factors.shape[1] > 1:
        yield "beta_vae", beta_vae(codes, factors, context.seed)


def beta_vae(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """The score of codes [N, C] and factors [N, F] on batches not used for training: 1/F by chance, 1 at best."""
    sample = FixedFactorSampler(factors, seed)
    fixed, differences = [], []
    for _ in range(TRAIN_BATCHES + TEST_BATCHES):
        factor, rows = sample(2 * PAIRS)
        fixed.append(factor)
        differences.append(np.abs(codes[rows[:PAIRS]] - codes[rows[PAIRS:]]).mean(axis=0))  # [C]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(differences[:TRAIN_BATCHES], fixed[:TRAIN_BATCHES])
    return float(model.score(differences[TRAIN_BATCHES:], fixed[TRAIN_BATCHES:]))
