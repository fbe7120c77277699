"""Interpolations between pairs of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from attributes import interpolate, key_frame_of_image
from training.autoencoder import Autoencoder, to_uint8
from training.metrics.context import EvaluationContext
from training.plots.pictures import Picture, grid, with_row_names

STEPS = 15
PAIRS = 6


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``interpolations.png``: a row for each pair of successive rows of the data."""
    count = min(PAIRS, len(context.rows) // 2)
    if count:
        images = context.dataset.batch(context.rows[: 2 * count]).images
        pairs = images.reshape(count, 2, *images.shape[1:])  # [N, 2, H, W, C]
        yield "interpolations.png", grid([interpolation_strip(context.autoencoder, pair) for pair in pairs])


def side_by_side(autoencoders: Mapping[str, Autoencoder], pair: NDArray[np.uint8]) -> Picture:
    """The interpolation between a pair of images [2, H, W, C] by each of several models, a named row for each."""
    strips = [interpolation_strip(autoencoder, pair) for autoencoder in autoencoders.values()]
    return with_row_names(grid(strips), list(autoencoders))


def interpolation_strip(autoencoder: Autoencoder, pair: NDArray[np.uint8]) -> Picture:
    """Frames [STEPS + 2, H, W, C] from one image of a pair [2, H, W, C] to the other, with the images at the ends."""
    z, weights, *_ = autoencoder.encode(pair)
    ends = [key_frame_of_image(autoencoder.codebook, *end) for end in zip(z, weights, strict=True)]
    frames = interpolate(autoencoder.codebook, ends, STEPS)
    return np.concatenate([pair[:1], to_uint8(autoencoder.decode(frames.z)), pair[1:]])
