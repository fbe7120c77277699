"""Drawing rows that share one factor's class, as the metrics of Higgins et al. and Kim and Mnih do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class FixedFactor:
    """Draws of rows among N with factors [N, F]: a factor by chance, a class of it by chance, rows that have it.

    Differs from disentanglement_lib, which draws new images for each: here they come from the rows that were encoded.
    """

    def __init__(self, factors: NDArray[np.integer[Any]], seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        self._rows = [[np.flatnonzero(factor == each) for each in np.unique(factor)] for factor in factors.T]

    def __call__(self, count: int) -> tuple[int, NDArray[np.intp]]:
        """A factor, and ``count`` rows in which it is the same."""
        factor = int(self._draw.integers(len(self._rows)))
        rows = self._rows[factor][self._draw.integers(len(self._rows[factor]))]
        return factor, self._draw.choice(rows, count)
