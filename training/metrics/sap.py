"""Separated attribute predictability (Kumar, Sattigeri and Balakrishnan 2018), classification form.

As in disentanglement_lib: how well a linear SVM tells each factor from one code alone; the gap between the best two
codes, averaged over factors. Codes are standardised first, as an SVM depends on their scale and the score should not.
The gap is small by its nature: five label indices of dSprites score .244.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from training.metrics.context import EvaluationContext

ROWS = 10_000
TEST_SHARE = 1 / 3


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``sap``, on at most ``ROWS`` rows."""
    codes, _, factors, _ = context.representation
    yield "sap", sap(codes[:ROWS], factors[:ROWS], context.seed)


def sap(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """SAP of codes [N, C] and factors [N, F], 0..1."""
    cut = int(len(codes) * (1 - TEST_SHARE))
    codes = StandardScaler().fit_transform(codes)
    gaps = []
    for factor in factors.T:
        scores = [0.0, *(_accuracy(code[:, None], factor, cut, seed) for code in codes.T)]
        best = sorted(scores)[-2:]
        gaps.append(best[1] - best[0])
    return float(np.mean(gaps))


def _accuracy(code: NDArray[np.float64], factor: NDArray[np.integer[Any]], cut: int, seed: int) -> float:
    machine = LinearSVC(C=0.01, class_weight="balanced", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of codes that tell nothing
        return float(machine.fit(code[:cut], factor[:cut]).score(code[cut:], factor[cut:]))
