"""Separated attribute predictability, SAP (Kumar, Sattigeri and Balakrishnan 2018), by classification.

As in disentanglement_lib: a linear SVM predicts each factor from one code alone; the score is the difference between
the accuracies of the two best codes, averaged over factors. The difference is small by its nature: the five class
indices of dSprites score .244.
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
    codes, _, factors, _ = context.codes_and_factors
    yield "sap", sap(codes[:ROWS], factors[:ROWS], context.seed)


def sap(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """SAP of codes [N, C] and factors [N, F], 0..1; accuracies are those on the last third of the rows."""
    cut = int(len(codes) * (1 - TEST_SHARE))
    codes = StandardScaler().fit_transform(codes)  # an SVM depends on the codes' scale, and the score should not
    gaps = []
    for factor in factors.T:
        scores = [0.0, *(_accuracy(code[:, None], factor, cut, seed) for code in codes.T)]
        second, best = sorted(scores)[-2:]
        gaps.append(best - second)
    return float(np.mean(gaps))


def _accuracy(code: NDArray[np.float64], factor: NDArray[np.integer[Any]], cut: int, seed: int) -> float:
    """Accuracy of an SVM on one code [N, 1], trained on the rows before ``cut``."""
    machine = LinearSVC(C=0.01, class_weight="balanced", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # codes without information do not converge
        return float(machine.fit(code[:cut], factor[:cut]).score(code[cut:], factor[cut:]))
