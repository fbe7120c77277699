"""Scores: means over rows with their confidence intervals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = 1.959964  # quantile .975 of the standard normal distribution, for intervals of 95 %


class Score(NamedTuple):
    """A mean over rows with its 95 % interval; NaN where a value is not known."""

    mean: float
    low: float
    high: float
    rows: int


# Scores by metric, for each set of rows by its title.
Evaluation = dict[str, dict[str, Score]]


def mean_with_interval(values: NDArray[Any]) -> Score:
    """Mean and 95 % interval of values [N], without those that are not finite.

    The interval is Wilson's (1927) if all values are 0 or 1, else the normal one, which a single value does not have.
    """
    values = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    count = len(values)
    if count == 0:
        return Score(math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    if np.isin(values, (0, 1)).all():
        return Score(mean, *_wilson(mean, count), count)
    half = Z * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Score(mean, mean - half, mean + half, count)


def _wilson(share: float, count: int) -> tuple[float, float]:
    centre = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    return max(centre - half, 0.0), min(centre + half, 1.0)  # rounding may lead out of 0..1
