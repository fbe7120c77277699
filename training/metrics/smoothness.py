"""How evenly images change on the way from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import interpolate, key_frame_of_image
from training.metrics.context import EvaluationContext

STEPS = 16
WALKS = 500


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``smoothness``: mean over largest change of the pixels from frame to frame, 1 where all are even;
    ``straightness``: distance of the ends over the length of the path. Of walks between the rows and others of them,
    drawn with the seed, at most ``WALKS``, as ``attributes.interpolation`` goes, in 16 frames.
    """
    count = min(WALKS, len(context.rows))
    z, weights = context.encoded.z[:count], context.encoded.weights[:count]
    ends = np.random.default_rng(context.seed).permutation(count)
    even, straight = np.full(count, np.nan), np.full(count, np.nan)
    codebook = context.autoencoder.codebook
    key_frames = [key_frame_of_image(codebook, *each) for each in zip(z, weights, strict=True)]
    for i, j in enumerate(ends):
        points = interpolate(codebook, [key_frames[i], key_frames[j]], STEPS)
        frames = context.autoencoder.decode(points.z).reshape(STEPS, -1).astype(np.float64)
        even[i], straight[i] = evenness(frames)
    yield "smoothness", even
    yield "straightness", straight


def evenness(frames: NDArray[np.float64]) -> tuple[float, float]:
    """Smoothness and straightness of frames [T, P]; NaN where nothing changes."""
    steps = np.linalg.norm(np.diff(frames, axis=0), axis=1)
    if steps.max() == 0:
        return np.nan, np.nan
    return float(steps.mean() / steps.max()), float(np.linalg.norm(frames[-1] - frames[0]) / steps.sum())
