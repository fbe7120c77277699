"""The metric of Kim and Mnih 2018 (FactorVAE): which factor was held fixed, told by the code that varies least.

As in disentanglement_lib: batches of 64 images that share one factor's class; each votes by the code with the least
variance relative to its variance over all images; a majority table maps codes to factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.context import EvaluationContext
from training.metrics.fixed_factor import FixedFactor

IMAGES, TRAIN, TEST = 64, 4_000, 2_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``factor_vae``: accuracy on draws that did not vote; not for data with a single factor."""
    codes, _, factors, _ = context.representation
    if factors.shape[1] > 1:
        yield "factor_vae", factor_vae(codes, factors, context.seed)


def factor_vae(codes: NDArray[np.float64], factors: NDArray[np.integer[Any]], seed: int = 0) -> float:
    """The metric of codes [N, C] and factors [N, F], from 1/F by chance to 1; 0 if no code varies."""
    spread = codes.var(axis=0)
    codes, spread = codes[:, spread > 0], spread[spread > 0]
    if not len(spread):
        return 0.0
    draw = FixedFactor(factors, seed)
    votes = np.zeros((2, len(spread), factors.shape[1]), np.intp)
    for index in range(TRAIN + TEST):
        factor, rows = draw(IMAGES)
        votes[int(index >= TRAIN), (codes[rows].var(axis=0, ddof=1) / spread).argmin(), factor] += 1
    table = votes[0].argmax(axis=1)
    return float(votes[1][np.arange(len(table)), table].sum() / TEST)
