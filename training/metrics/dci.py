"""Disentanglement, completeness and informativeness (Eastwood and Williams 2018), by random forests.

A forest predicts each factor from all codes; how much each code is used for it is the importance matrix. Differs from
disentanglement_lib, which takes gradient boosted trees: forests are what the paper has, and much faster. All codes are
candidates at each split, so that a code is not taken for want of a better one.
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
    """``dci.disentanglement``, ``dci.completeness`` and ``dci.informativeness`` (accuracy on rows not learned from)."""
    codes, _, factors, _ = context.representation
    importance, accuracy = importances(codes, factors, context.seed)
    yield "dci.disentanglement", disentanglement(importance)
    yield "dci.completeness", completeness(importance)
    yield "dci.informativeness", accuracy


def importances(
    codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0
) -> tuple[NDArray[np.float64], float]:
    """How much of each factor a forest takes from each code [C, F], and its mean accuracy."""
    cut = int(len(codes) * (1 - TEST_SHARE))
    columns, right = [], []
    for factor in factors.T:
        forest = RandomForestClassifier(TREES, max_features=None, random_state=seed).fit(codes[:cut], factor[:cut])
        columns.append(forest.feature_importances_)
        right.append(forest.score(codes[cut:], factor[cut:]))
    return np.stack(columns, axis=1), float(np.mean(right))


def disentanglement(importance: NDArray[np.float64]) -> float:
    """Mean over codes, by importance, of how little each is used for more than one factor; from [C, F], 0..1."""
    codes = importance.sum(axis=1)
    return float(np.sum(_certainty(importance) * codes) / codes.sum())


def completeness(importance: NDArray[np.float64]) -> float:
    """Mean over factors of how little each is taken from more than one code; from [C, F], 0..1."""
    factors = importance.sum(axis=0)
    return float(np.sum(_certainty(importance.T) * factors) / factors.sum())


def _certainty(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - entropy of each row, as a share of the most that it can be."""
    if rows.shape[1] == 1:
        return np.ones(len(rows))
    certain: NDArray[np.float64] = 1 - entropy(rows.T + 1e-11, base=rows.shape[1])
    return certain
