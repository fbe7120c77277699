"""How evenly images change along an interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import interpolate, key_frame_of_image
from training.metrics.context import EvaluationContext

STEPS = 16
PATHS = 500


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``smoothness`` and ``straightness`` [N] of interpolations from each row to a random other one.

    Of at most ``PATHS`` rows; an interpolation has ``STEPS`` frames.
    """
    count = min(PATHS, len(context.rows))
    z, weights = context.encoded.z[:count], context.encoded.weights[:count]
    ends = np.random.default_rng(context.seed).permutation(count)
    smooth, straight = np.full(count, np.nan), np.full(count, np.nan)
    codebook = context.autoencoder.codebook
    key_frames = [key_frame_of_image(codebook, *each) for each in zip(z, weights, strict=True)]
    for i, j in enumerate(ends):
        points = interpolate(codebook, [key_frames[i], key_frames[j]], STEPS)
        frames = context.autoencoder.decode(points.z).reshape(STEPS, -1).astype(np.float64)
        smooth[i], straight[i] = smoothness_and_straightness(frames)
    yield "smoothness", smooth
    yield "straightness", straight


def smoothness_and_straightness(frames: NDArray[np.float64]) -> tuple[float, float]:
    """Of frames [T, P]; NaN if nothing changes.

    Smoothness is the mean distance between successive frames over the largest one, 1 if all are equal. Straightness is
    the distance of the ends over the length of the path.
    """
    steps = np.linalg.norm(np.diff(frames, axis=0), axis=1)  # [T - 1]
    if steps.max() == 0:
        return np.nan, np.nan
    return float(steps.mean() / steps.max()), float(np.linalg.norm(frames[-1] - frames[0]) / steps.sum())
