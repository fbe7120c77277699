"""A plane of latent space, decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.autoencoder import to_uint8
from training.metrics.context import EvaluationContext
from training.plots.canvas import Picture, captioned, grid
from training.trainer.fit_latents import IDLE_VARIANCE

SIDE = 25
ENDS = (0.01, 0.99)
"""The shares of all images between whose codes the plane lies."""


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``latent_grid.png`` and ``latent_grid-linear.png``: the plane of the two codes with the least posterior variance.

    Of models with z for codes.
    """
    codes = context.encoded.z
    if codes.shape[1] < 2 or codes.shape != context.encoded.mean.shape:
        return
    chosen = sharpest(context, 2)
    yield "latent_grid.png", latent_grid(context, chosen)
    yield "latent_grid-linear.png", latent_grid(context, chosen, linear=True)


def latent_grid(context: EvaluationContext, chosen: Sequence[int], linear: bool = False) -> Picture:
    """The plane of two chosen dimensions of z, the first to the right and the second upwards, others at their median.

    Its steps hold equally many images each, or are equally long if ``linear``.
    """
    codes = context.encoded.z
    x, y = (_steps(codes[:, each], linear) for each in chosen)
    z = np.tile(np.median(codes, axis=0), (SIDE, SIDE, 1)).astype(np.float32)
    z[:, :, chosen[0]] = x[None, :]
    z[:, :, chosen[1]] = y[::-1, None]
    across, up = code_names(context, chosen)
    spacing = "in equal steps" if linear else "denser where more images are"
    caption = f"across: {across}, {x[0]:.3g} to {x[-1]:.3g}; up: {up}, {y[0]:.3g} to {y[-1]:.3g}; {spacing}"
    return captioned(grid([to_uint8(context.autoencoder.decode(row)) for row in z]), caption)


def _steps(code: NDArray[Any], linear: bool) -> NDArray[Any]:
    share = np.linspace(*ENDS, SIDE)
    steps: NDArray[Any] = np.interp(share, ENDS, np.quantile(code, ENDS)) if linear else np.quantile(code, share)
    return steps


def sharpest(context: EvaluationContext, count: int) -> list[int]:
    """Indices of at most so many codes that tell most, in order of place: those with the least mean posterior variance,
    idle ones only where fewer than two are not.
    """
    variance = np.exp(context.encoded.logvar).mean(axis=0)
    telling = max(2, int((variance < IDLE_VARIANCE).sum()))
    return sorted(np.argsort(variance)[: min(count, telling)].tolist())


def code_names(context: EvaluationContext, codes: Sequence[int]) -> list[str]:
    """What codes are called: the attribute that is one of them alone, else their place."""
    parts = context.autoencoder.codebook.parts
    owner = {part.code: part.attribute for part in parts if part.code is not None and part.stop == part.start + 1}
    return [owner.get(code, f"code {code}") for code in codes]
