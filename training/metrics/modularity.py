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
from training.metrics.mig import mutual_information

ROWS = 6_000
TEST_SHARE = 1 / 3


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``modularity``, not for data with a single factor, and ``explicitness`` on at most ``ROWS`` rows."""
    codes, _, factors, _ = context.codes_and_factors
    if factors.shape[1] > 1:
        yield "modularity", modularity(mutual_information(codes, factors))
    yield "explicitness", explicitness(codes[:ROWS], factors[:ROWS])


def modularity(information: NDArray[np.float64]) -> float:
    """1 if each code has mutual information [C, F] with one factor only, 0 if with all alike.

    Codes without any information do not count.
    """
    squares = information**2
    best = squares.max(axis=1)
    informative = best > 1e-12
    if not informative.any():
        return 0.0
    rest = squares.sum(axis=1)[informative] - best[informative]
    return float(np.mean(1 - rest / (best[informative] * (information.shape[1] - 1))))


def explicitness(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]]) -> float:
    """How well logistic regression on codes [N, C] separates each class of factors [N, F] from the others.

    2 * AUC - 1 on the last third of the rows, averaged over all classes: 0 by chance, 1 at best. AUC is the area under
    the ROC curve.
    """
    cut = int(len(codes) * (1 - TEST_SHARE))
    scores: list[float] = []
    for factor in factors.T:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(codes[:cut], factor[:cut])
        probabilities = model.predict_proba(codes[cut:])  # [M, K]
        for column, each in enumerate(model.classes_):
            positive = factor[cut:] == each
            if 0 < positive.mean() < 1:
                scores.append(2 * float(roc_auc_score(positive, probabilities[:, column])) - 1)
    return float(np.mean(scores))
