"""Walks between pairs of images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.codec import to_uint8
from training.metrics.study import Study
from training.plots.canvas import Picture, grid
from training.walk import walk

STEPS = 15
PAIRS = 6


def pictures(study: Study) -> Iterator[tuple[str, Picture]]:
    """``interpolations.png``: a row per pair, both images at the ends and 15 steps between them."""
    count = min(PAIRS, len(study.rows) // 2)
    if count:
        yield "interpolations.png", grid([strip(study, 2 * i, 2 * i + 1) for i in range(count)])


def strip(study: Study, first: int, last: int) -> Picture:
    """Frames [15 + 2, H, W, C] between the study's rows of these indices, its images at both ends."""
    z, weights = study.encoded.z, study.encoded.weights
    points = walk(study.codec.codebook, (z[first], weights[first]), (z[last], weights[last]), STEPS)
    ends = study.source.batch(study.rows[[first, last]]).images
    return np.concatenate([ends[:1], to_uint8(study.codec.decode(points)), ends[1:]])
