"""Modularity and explicitness (Ridgeway and Mozer 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.metrics.context import EvaluationContext
from training.metrics.mig import informations

ROWS = 6_000
TEST_SHARE = 1 / 3


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``modularity``: whether each code tells of one factor only; ``explicitness``: whether codes tell linearly."""
    codes, _, factors, _ = context.representation
    if factors.shape[1] > 1:
        yield "modularity", modularity(informations(codes, factors))
    yield "explicitness", explicitness(codes[:ROWS], factors[:ROWS])


def modularity(information: NDArray[np.float64]) -> float:
    """From mutual information [C, F]: 1 where each code that tells anything tells of one factor, 0..1."""
    squares = information**2
    best = squares.max(axis=1)
    told = best > 1e-12
    rest = squares.sum(axis=1)[told] - best[told]
    return float(np.mean(1 - rest / (best[told] * (information.shape[1] - 1)))) if told.any() else 0.0


def explicitness(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]]) -> float:
    """How well logistic regression on codes [N, C] tells each class of factors [N, F] from all others.

    Area under the ROC curve on rows that were not learned from, from 0 by chance to 1, averaged over all classes.
    """
    cut = int(len(codes) * (1 - TEST_SHARE))
    scores: list[float] = []
    for factor in factors.T:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(codes[:cut], factor[:cut])
        told = model.predict_proba(codes[cut:])
        for column, each in enumerate(model.classes_):
            is_it = factor[cut:] == each
            if 0 < is_it.mean() < 1:
                scores.append(2 * float(roc_auc_score(is_it, told[:, column])) - 1)
    return float(np.mean(scores))
