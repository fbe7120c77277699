"""The FactorVAE score (Kim and Mnih 2018): the factor held fixed, predicted from the code that varies least.

As in disentanglement_lib: a batch is 64 images that share one factor's class. It votes for its factor with the code of
least variance, relative to the code's variance over all images. A majority vote maps codes to factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.context import EvaluationContext
from training.metrics.fixed_factor import FixedFactorSampler

BATCH = 64
TRAIN_BATCHES, TEST_BATCHES = 4_000, 2_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``factor_vae``; nothing for data with a single factor."""
    codes, _, factors, _ = context.codes_and_factors
    if factors.shape[1] > 1:
        yield "factor_vae", factor_vae(codes, factors, context.seed)


def factor_vae(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """The score of codes [N, C] and factors [N, F] on batches that did not vote: 1/F by chance, 1 at best.

    0 if no code varies.
    """
    variance = codes.var(axis=0)
    codes, variance = codes[:, variance > 0], variance[variance > 0]
    if not len(variance):
        return 0.0
    sample = FixedFactorSampler(factors, seed)
    votes = np.zeros((2, len(variance), factors.shape[1]), np.intp)  # training and test, code, factor
    for index in range(TRAIN_BATCHES + TEST_BATCHES):
        factor, rows = sample(BATCH)
        code = (codes[rows].var(axis=0, ddof=1) / variance).argmin()
        votes[int(index >= TRAIN_BATCHES), code, factor] += 1
    predicted = votes[0].argmax(axis=1)  # [C], the factor of each code
    return float(votes[1][np.arange(len(predicted)), predicted].sum() / TEST_BATCHES)
