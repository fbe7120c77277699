"""Metrics of an autoencoder on a data set, one file each. A run and a bundle are scored by the same code.

A metric of ``METRICS`` takes the model's predictions for a batch and yields names with one value per row. The value is
NaN where a row has none, as its attribute is not labelled. A metric of ``SET_METRICS`` takes a whole set of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

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
from training.metrics.predictions import Metric, predict
from training.metrics.scores import Score, mean_with_interval

# In the order of their lines in a table.
METRICS: tuple[Metric, ...] = (accuracy.compute, decoding.compute, reconstruction.compute, round_trip.compute)

# By name, the fastest first.
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
SET_ROWS = 10_000


def score(autoencoder: Autoencoder, dataset: Dataset, rows: Rows, *, progress: bool = False) -> dict[str, Score]:
    """The mean of every metric of ``METRICS`` over the rows, with its interval."""
    collected: dict[str, list[NDArray[Any]]] = {}
    for start in tqdm(range(0, len(rows), CHUNK), desc="evaluate", disable=not progress):
        predictions = predict(autoencoder, dataset.batch(rows[start : start + CHUNK]), dataset.attributes)
        for metric in METRICS:
            for name, values in metric(predictions):
                collected.setdefault(name, []).append(values)
    return {name: mean_with_interval(np.concatenate(values)) for name, values in collected.items()}


def chosen(names: Sequence[str]) -> list[str]:
    """The named set metrics in their order; ``all`` means all of them.

    Raises ValueError that lists the metrics for an unknown name.
    """
    if unknown := [name for name in names if name not in (*SET_METRICS, "all")]:
        raise ValueError(f"no metric {unknown[0]!r}; there is: {', '.join(SET_METRICS)}, all")
    return [name for name in SET_METRICS if name in names or "all" in names]


def score_set(
    autoencoder: Autoencoder, dataset: Dataset, rows: Rows, names: Sequence[str], seed: int = 0
) -> dict[str, Score]:
    """The named set metrics on at most ``SET_ROWS`` of the rows, drawn with the seed.

    A metric that is one number for the whole set has no interval.
    """
    rows = np.random.default_rng(seed).permutation(rows)[:SET_ROWS]
    context = EvaluationContext(autoencoder, dataset, rows, seed)
    scores: dict[str, Score] = {}
    for metric in tqdm(chosen(names), desc="set metrics"):
        for name, value in SET_METRICS[metric](context):
            if isinstance(value, float):
                scores[name] = Score(value, math.nan, math.nan, len(rows))
            else:
                scores[name] = mean_with_interval(value)
    return scores
