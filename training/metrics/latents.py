"""Active latents, and the factor that each follows: the table of Burgess et al. 2018 and Akella17/Beta-VAE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.mig import entropies, mutual_information

# A latent is active if its mean posterior variance is below; published tables use .1 and .01.
ACTIVE = (0.1, 0.01)


class LatentStatistics(NamedTuple):
    """One free latent."""

    name: str
    variance: float
    """Mean variance of its posterior; the prior's is 1."""
    factor: str
    """The factor of which it has the largest share of information."""
    share: float
    """Mutual information with that factor, as a share of the factor's entropy."""


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``active.below_0.1``, ``variance.NAME`` and ``follows.FACTOR``.

    * ``active.below_0.1``, ``active.below_0.01``: the number of latents with a smaller mean posterior variance.
    * ``variance.NAME``: this variance of each latent.
    * ``follows.FACTOR``: the number of active latents that have more information on this factor than on any other.
    """
    statistics = latent_statistics(context)
    if not statistics:
        return
    for bound in ACTIVE:
        yield f"active.below_{bound}", float(sum(each.variance < bound for each in statistics))
    for each in statistics:
        yield f"variance.{each.name}", each.variance
    active = [each for each in statistics if each.variance < ACTIVE[0]]
    for factor in context.codes_and_factors.factor_names:
        yield f"follows.{factor}", float(sum(each.factor == factor for each in active))


def latent_statistics(context: EvaluationContext) -> list[LatentStatistics]:
    """Statistics of each continuous attribute that has its own posterior; empty for models without such attributes."""
    codebook, encoded = context.autoencoder.codebook, context.encoded
    codes, code_names, factors, factor_names = context.codes_and_factors
    shares = mutual_information(codes, factors) / entropies(factors)  # [C, F]
    statistics = []
    for part in codebook.parts:
        if part.code is None or codebook.attributes[part.attribute].kind != "continuous":
            continue
        variance = float(np.exp(encoded.logvar[:, part.code].astype(np.float64)).mean())
        share = shares[code_names.index(part.attribute)]  # [F]
        best = int(share.argmax())
        statistics.append(LatentStatistics(part.attribute, variance, factor_names[best], float(share[best])))
    return statistics
