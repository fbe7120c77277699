"""One file per metric, over any codec, so that a run and a bundle are scored by the same code.

Those of ``METRICS`` take what a codec made of some rows and yield a name and one value for every row; NaN stands where
a row has none (an attribute that is not labelled). Those of ``SET_METRICS`` look at a whole set of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.autoencoder import Autoencoder
from training.data.dataset import Dataset, Rows
from training.metrics import (
    accuracy,
    beta_vae,
    calibration,
    dci,
    decoding,
    factor_vae,
    fidelity,
    latent_classification,
    latents,
    mig,
    modularity,
    reconstruction,
    round_trip,
    sap,
    sensitivity,
    smoothness,
    unfamiliar,
)
from training.metrics.context import CHUNK, EvaluationContext, SetMetric
from training.metrics.outputs import Metric, outputs

METRICS: tuple[Metric, ...] = (accuracy.compute, decoding.compute, reconstruction.compute, round_trip.compute)
"""In the order of their rows in a table."""
SET_METRICS: dict[str, SetMetric] = {
    module.__name__.rsplit(".", 1)[-1]: module.compute
    for module in (
        calibration,
        fidelity,
        smoothness,
        unfamiliar,
        latents,
        mig,
        sap,
        dci,
        beta_vae,
        factor_vae,
        modularity,
        sensitivity,
        latent_classification,
    )
}
"""By name, from a look at the pictures to what takes longest."""
SET_ROWS = 10_000


class Score(NamedTuple):
    """A mean over rows with its 95 % interval."""

    mean: float
    low: float
    high: float
    rows: int


def score(autoencoder: Autoencoder, dataset: Dataset, rows: Rows, *, progress: bool = False) -> dict[str, Score]:
    """Every metric's mean over the rows, with its interval."""
    collected: dict[str, list[NDArray[Any]]] = {}
    for start in tqdm(range(0, len(rows), CHUNK), desc="evaluate", disable=not progress):
        made = outputs(autoencoder, dataset.batch(rows[start : start + CHUNK]), dataset.attributes)
        for metric in METRICS:
            for name, values in metric(made):
                collected.setdefault(name, []).append(values)
    return {name: interval(np.concatenate(values)) for name, values in collected.items()}


def chosen(names: Sequence[str]) -> list[str]:
    """Names of set metrics, ``all`` standing for all; raises ValueError that lists them for an unknown one."""
    if unknown := [name for name in names if name not in (*SET_METRICS, "all")]:
        raise ValueError(f"no metric {unknown[0]!r}; there is: {', '.join(SET_METRICS)}, all")
    return [name for name in SET_METRICS if name in names or "all" in names]


def score_set(
    autoencoder: Autoencoder, dataset: Dataset, rows: Rows, names: Sequence[str], seed: int = 0
) -> dict[str, Score]:
    """The named set metrics on at most ``SET_ROWS`` of the rows, drawn with the seed.

    Those that are one figure for the whole set have no interval.
    """
    rows = np.random.default_rng(seed).permutation(rows)[:SET_ROWS]
    context = EvaluationContext(autoencoder, dataset, rows, seed)
    scores: dict[str, Score] = {}
    for metric in tqdm(chosen(names), desc="set metrics"):
        for name, value in SET_METRICS[metric](context):
            if isinstance(value, float):
                scores[name] = Score(value, math.nan, math.nan, len(rows))
            else:
                scores[name] = interval(value)
    return scores


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
        return Score(mean, max(centre - half, 0.0), min(centre + half, 1.0), count)  # rounding may lead out of 0..1
    half = z * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Score(mean, mean - half, mean + half, count)
