"""A grid over two latent dimensions, decoded (Kingma and Welling 2014, figure 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.autoencoder import to_uint8
from training.metrics.context import EvaluationContext
from training.plots.pictures import Picture, grid, with_caption
from training.trainer.fit_latents import IDLE_VARIANCE

SIDE = 25
ENDS = (0.01, 0.99)  # quantiles of the codes where the grid begins and ends


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``latent_grid.png`` and ``latent_grid-linear.png``, over the two codes with the least posterior variance.

    Of models whose codes are z itself.
    """
    codes = context.encoded.z
    if codes.shape[1] < 2 or codes.shape != context.encoded.mean.shape:
        return
    chosen = most_informative_codes(context, 2)
    yield "latent_grid.png", latent_grid(context, chosen)
    yield "latent_grid-linear.png", latent_grid(context, chosen, linear=True)


def latent_grid(context: EvaluationContext, chosen: Sequence[int], linear: bool = False) -> Picture:
    """The grid over two chosen dimensions of z, the first to the right and the second upwards; others at their median.

    The same number of images lies between two steps, or, if ``linear``, the steps are of equal length.
    """
    codes = context.encoded.z
    x, y = (_steps(codes[:, each], linear) for each in chosen)
    z = np.tile(np.median(codes, axis=0), (SIDE, SIDE, 1)).astype(np.float32)
    z[:, :, chosen[0]] = x[None, :]
    z[:, :, chosen[1]] = y[::-1, None]
    across, up = code_names(context, chosen)
    spacing = "in equal steps" if linear else "denser where more images are"
    caption = f"across: {across}, {x[0]:.3g} to {x[-1]:.3g}; up: {up}, {y[0]:.3g} to {y[-1]:.3g}; {spacing}"
    return with_caption(grid([to_uint8(context.autoencoder.decode(row)) for row in z]), caption)


def _steps(code: NDArray[Any], linear: bool) -> NDArray[Any]:
    shares = np.linspace(*ENDS, SIDE)
    steps: NDArray[Any] = np.interp(shares, ENDS, np.quantile(code, ENDS)) if linear else np.quantile(code, shares)
    return steps


def most_informative_codes(context: EvaluationContext, count: int) -> list[int]:
    """Indices, in ascending order, of the at most ``count`` codes with the least mean posterior variance.

    Idle codes are left out, but for the best two.
    """
    variance = np.exp(context.encoded.logvar).mean(axis=0)  # [L]
    informative = max(2, int((variance < IDLE_VARIANCE).sum()))
    return sorted(np.argsort(variance)[: min(count, informative)].tolist())


def code_names(context: EvaluationContext, codes: Sequence[int]) -> list[str]:
    """Names of codes: the attribute whose only code it is, else the index."""
    parts = context.autoencoder.codebook.parts
    owner = {part.code: part.attribute for part in parts if part.code is not None and part.stop == part.start + 1}
    return [owner.get(code, f"code {code}") for code in codes]
