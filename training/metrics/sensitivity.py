"""First-order sensitivity (Sobol 1993): the share of the decoded image's variance that each latent explains alone.

Latents are drawn independently from their distribution on data; the estimator is SciPy's (Saltelli et al. 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import sobol_indices

from training.metrics.context import EvaluationContext

DRAWS = 256
"""A power of two, as Sobol's sequence needs; DRAWS * (latents + 2) images are decoded."""
MOST_LATENTS = 32
STILL = 1e-2
"""Pixels with less than this share of the largest variance change too rarely for the estimate to mean anything."""


class Sensitivity(NamedTuple):
    """Shares of variance, from 0 to 1 but for the estimator's error."""

    pixels: NDArray[np.float64]
    """[L, H, W, C]; 0 where a pixel hardly ever changes."""
    overall: NDArray[np.float64]
    """[L], each pixel counted by its variance."""


@dataclass(frozen=True)
class Empirical:
    """The distribution of a sample [N], for SciPy: by its quantiles."""

    sample: NDArray[Any]

    def ppf(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles."""
        quantiles: NDArray[np.float64] = np.quantile(self.sample, share)
        return quantiles


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``sensitivity.NAME`` of each latent dimension that is an attribute of its own."""
    found = of_latents(context)
    if found is not None:
        names, sensitivity = found
        for name, share in zip(names, sensitivity.overall, strict=True):
            yield f"sensitivity.{name}", float(share)


def of_latents(context: EvaluationContext) -> tuple[list[str], Sensitivity] | None:
    """Names and sensitivities of the latents that are one dimension each; None if there are none, or very many.

    All other dimensions stay at their default.
    """
    codebook = context.autoencoder.codebook
    parts = [part for part in codebook.parts if part.stop == part.start + 1]
    if not 0 < len(parts) <= MOST_LATENTS:
        return None
    columns = [part.start for part in parts]
    start = codebook.place(codebook.attributes.weights({})[None])[0]

    def decode(points: NDArray[np.float64]) -> NDArray[np.float64]:
        z = np.repeat(start[None], len(points), axis=0)
        z[:, columns] = points
        return np.asarray(context.autoencoder.decode(z), np.float64)

    shares = sobol(decode, context.encoded.z[:, columns], context.seed)
    return [part.attribute for part in parts], shares


def sobol(
    decode: Callable[[NDArray[np.float64]], NDArray[np.float64]], sample: NDArray[Any], seed: int, draws: int = DRAWS
) -> Sensitivity:
    """Of what ``decode`` makes of points [B, L], for latents distributed like ``sample`` [N, L]."""
    shape: tuple[int, ...] = ()

    def outputs(points: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal shape
        flat = points.reshape(len(points), -1).T  # SciPy asks with [L, n] and with [L, n, latents]
        images = np.concatenate([decode(flat[i : i + 512]) for i in range(0, len(flat), 512)])
        shape = images.shape[1:]
        return images.reshape(len(images), -1).T.reshape(-1, *points.shape[1:])

    distributions = [Empirical(each) for each in sample.T]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sobol_indices(func=outputs, n=draws, dists=distributions, rng=np.random.default_rng(seed))
    # the estimator's own A and B, for the variance that its shares are of
    variance = np.var(np.concatenate([found._f_A, found._f_B], axis=1), axis=1)  # [P]
    first = np.where(
        variance[:, None] > max(STILL * variance.max(), 1e-12),
        np.nan_to_num(found.first_order.reshape(len(variance), -1)),
        0.0,
    )
    overall = (first * variance[:, None]).sum(axis=0) / max(variance.sum(), 1e-12)
    return Sensitivity(first.T.reshape(-1, *shape), overall)
