"""Walks between pairs of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from attributes import interpolate, key_frame_of_image
from training.autoencoder import Autoencoder, to_uint8
from training.metrics.context import EvaluationContext
from training.plots.canvas import Picture, grid, with_names

STEPS = 15
PAIRS = 6


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture]]:
    """``interpolations.png``: a row per pair of images."""
    count = min(PAIRS, len(context.rows) // 2)
    if count:
        images = context.dataset.batch(context.rows[: 2 * count]).images
        yield (
            "interpolations.png",
            grid([strip(context.autoencoder, pair) for pair in images.reshape(count, 2, *images.shape[1:])]),
        )


def side_by_side(autoencoders: Mapping[str, Autoencoder], pair: NDArray[np.uint8]) -> Picture:
    """The walk between a pair of images [2, H, W, C] as each codec sees it, a row with its name per codec."""
    return with_names(grid([strip(autoencoder, pair) for autoencoder in autoencoders.values()]), list(autoencoders))


def strip(autoencoder: Autoencoder, pair: NDArray[np.uint8]) -> Picture:
    """Frames [15 + 2, H, W, C] from one image of a pair [2, H, W, C] to the other, both themselves at the ends."""
    z, weights, *_ = autoencoder.encode(pair)
    ends = [key_frame_of_image(autoencoder.codebook, *end) for end in zip(z, weights, strict=True)]
    frames = interpolate(autoencoder.codebook, ends, STEPS)
    return np.concatenate([pair[:1], to_uint8(autoencoder.decode(frames.z)), pair[1:]])
