"""Disentanglement, completeness and informativeness, DCI (Eastwood and Williams 2018), by random forests.

A forest predicts each factor from all codes; the importance of each code for it is a column of the importance matrix.
disentanglement_lib takes gradient boosted trees instead: forests are what the paper has, and are much faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.ensemble import RandomForestClassifier

from training.metrics.context import EvaluationContext

TREES = 20
TEST_SHARE = 1 / 3


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``dci.disentanglement``, ``dci.completeness`` and ``dci.informativeness`` (accuracy on test rows)."""
    codes, _, factors, _ = context.codes_and_factors
    importance, accuracy = importance_matrix(codes, factors, context.seed)
    yield "dci.disentanglement", disentanglement(importance)
    yield "dci.completeness", completeness(importance)
    yield "dci.informativeness", accuracy


def importance_matrix(
    codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0
) -> tuple[NDArray[np.float64], float]:
    """Importance [C, F] of codes [N, C] for factors [N, F], and the mean accuracy on the last third of the rows."""
    cut = int(len(codes) * (1 - TEST_SHARE))
    columns, right = [], []
    for factor in factors.T:
        # Each split may choose among all codes, so that a code is not used only because a better one was not offered.
        forest = RandomForestClassifier(TREES, max_features=None, random_state=seed).fit(codes[:cut], factor[:cut])
        columns.append(forest.feature_importances_)
        right.append(forest.score(codes[cut:], factor[cut:]))
    return np.stack(columns, axis=1), float(np.mean(right))


def disentanglement(importance: NDArray[np.float64]) -> float:
    """1 if each code is important for one factor only, 0 if for all alike.

    The mean over codes, weighted by their importance [C, F].
    """
    codes = importance.sum(axis=1)
    return float(np.sum(_one_minus_entropy(importance) * codes) / codes.sum())


def completeness(importance: NDArray[np.float64]) -> float:
    """1 if each factor is predicted from one code only, 0 if from all alike.

    The mean over factors, weighted by their importance [C, F].
    """
    factors = importance.sum(axis=0)
    return float(np.sum(_one_minus_entropy(importance.T) * factors) / factors.sum())


def _one_minus_entropy(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - entropy [R] of each row of [R, K], with K as the logarithm's base."""
    if rows.shape[1] == 1:
        return np.ones(len(rows))
    # disentanglement_lib adds 1e-11 too: rows of zeros have an entropy then.
    certainty: NDArray[np.float64] = 1 - entropy(rows.T + 1e-11, base=rows.shape[1])
    return certainty
