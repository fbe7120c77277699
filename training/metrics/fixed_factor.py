"""Batches of rows that share one factor's class, for the BetaVAE and FactorVAE scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class FixedFactorSampler:
    """Draws a random factor of factors [N, F], a random class of it, and rows that have this class.

    disentanglement_lib draws new images for each batch; here the rows come from those that were encoded.
    """

    def __init__(self, factors: NDArray[np.integer[Any]], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        # The rows of each class of each factor.
        self._rows = [[np.flatnonzero(factor == each) for each in np.unique(factor)] for factor in factors.T]

    def __call__(self, count: int) -> tuple[int, NDArray[np.intp]]:
        """A factor, and ``count`` rows with the same class of it; a row may come twice."""
        factor = int(self._rng.integers(len(self._rows)))
        rows = self._rows[factor][self._rng.integers(len(self._rows[factor]))]
        return factor, self._rng.choice(rows, count)
