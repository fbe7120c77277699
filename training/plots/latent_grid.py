"""A plane of latent space, decoded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.codec import to_uint8
from training.metrics.study import Study
from training.plots.canvas import Picture, grid

SIDE = 25
IDLE = 0.5
"""Mean posterior variance from which on a code tells next to nothing."""


def pictures(study: Study) -> Iterator[tuple[str, Picture]]:
    """``latent_grid.png``: the plane of the two codes with the least posterior variance, spaced as images are.

    Of models with z for codes; dimensions besides these two are at their median.
    """
    codes = study.encoded.z
    if codes.shape[1] < 2 or codes.shape != study.encoded.mean.shape:
        return
    x, y = sharpest(study, 2)
    share = np.linspace(0.01, 0.99, SIDE)
    z = np.tile(np.median(codes, axis=0), (SIDE, SIDE, 1)).astype(np.float32)
    z[:, :, x] = np.quantile(codes[:, x], share)[None, :]
    z[:, :, y] = np.quantile(codes[:, y], share)[::-1, None]
    yield "latent_grid.png", grid([to_uint8(study.codec.decode(row)) for row in z])


def sharpest(study: Study, count: int) -> list[int]:
    """Indices of at most so many codes that tell most, in order of place: those with the least mean posterior variance,
    idle ones only where fewer than two are not.
    """
    variance = np.exp(study.encoded.logvar).mean(axis=0)
    telling = max(2, int((variance < IDLE).sum()))
    return sorted(np.argsort(variance)[: min(count, telling)].tolist())
