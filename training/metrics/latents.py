"""Which latents are active, and which factor each follows: the table of Burgess et al. 2018 and Akella17/Beta-VAE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.metrics.context import EvaluationContext
from training.metrics.mig import entropies, informations

ACTIVE = (0.1, 0.01)
"""A latent is active whose mean posterior variance lies below; the published tables say .1 and .01."""


class LatentRow(NamedTuple):
    """One free latent."""

    name: str
    variance: float
    """Mean variance of its posterior; 1 is the prior's."""
    factor: str
    """The factor that it tells most of."""
    share: float
    """Which share of that factor's entropy it tells."""


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``active.below_0.1``: how many latents have such a variance; ``variance.NAME`` of each; ``follows.FACTOR``: how
    many active latents tell more of this factor than of any other.
    """
    rows = table(context)
    if not rows:
        return
    for bound in ACTIVE:
        yield f"active.below_{bound}", float(sum(row.variance < bound for row in rows))
    for row in rows:
        yield f"variance.{row.name}", row.variance
    for factor in context.representation.factor_names:
        yield f"follows.{factor}", float(sum(row.factor == factor and row.variance < ACTIVE[0] for row in rows))


def table(context: EvaluationContext) -> list[LatentRow]:
    """A row for each continuous attribute with a posterior of its own; none for models without."""
    codebook, encoded = context.autoencoder.codebook, context.encoded
    codes, names, factors, factor_names = context.representation
    told = informations(codes, factors) / entropies(factors)  # [C, F]
    rows = []
    for part in codebook.parts:
        if part.code is None or codebook.attributes[part.attribute].kind != "continuous":
            continue
        variance = float(np.exp(encoded.logvar[:, part.code].astype(np.float64)).mean())
        share = told[names.index(part.attribute)]
        best = int(share.argmax())
        rows.append(LatentRow(part.attribute, variance, factor_names[best], float(share[best])))
    return rows
