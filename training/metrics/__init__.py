"""One file per metric. Each takes what a codec made of some rows and yields a name and one value for every row.

NaN stands where a row has no value (an attribute that is not labelled). ``score`` runs them all over any codec, so
that a run and a bundle are scored by the same code.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.codec import Codec
from training.data.source import Rows, Source
from training.metrics import accuracy, decoding, reconstruction, round_trip
from training.metrics.outputs import Metric, outputs

CHUNK = 512
METRICS: tuple[Metric, ...] = (accuracy.values, decoding.values, reconstruction.values, round_trip.values)
"""In the order of their rows in a table."""


class Score(NamedTuple):
    """A mean over rows with its 95 % interval."""

    mean: float
    low: float
    high: float
    rows: int


def score(codec: Codec, source: Source, rows: Rows, *, progress: bool = False) -> dict[str, Score]:
    """Every metric's mean over the rows, with its interval."""
    collected: dict[str, list[NDArray[Any]]] = {}
    for start in tqdm(range(0, len(rows), CHUNK), desc="evaluate", disable=not progress):
        made = outputs(codec, source.batch(rows[start : start + CHUNK]), source.attributes)
        for metric in METRICS:
            for name, values in metric(made):
                collected.setdefault(name, []).append(values)
    return {name: interval(np.concatenate(values)) for name, values in collected.items()}


def interval(values: NDArray[Any]) -> Score:
    """Mean and 95 % interval of values [N], those that are not finite left out.

    Wilson's interval where all values are 0 or 1, the normal one for other means, which one value has none of.
    """
    values = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    count = len(values)
    if count == 0:
        return Score(math.nan, math.nan, math.nan, 0)
    mean, z = float(values.mean()), 1.959964
    if np.isin(values, (0, 1)).all():
        centre = (mean + z * z / (2 * count)) / (1 + z * z / count)
        half = z / (1 + z * z / count) * math.sqrt(mean * (1 - mean) / count + z * z / (4 * count * count))
        return Score(mean, centre - half, centre + half, count)
    half = z * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Score(mean, mean - half, mean + half, count)
