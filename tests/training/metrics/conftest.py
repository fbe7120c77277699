"""Representations of dSprites whose scores are known: class indices, with noise, as an angle, and pure noise.

The expected scores of the class indices were computed with disentanglement_lib's definitions on 10,000 samples.
"""

import numpy as np
import pytest

from tests.training.metrics.oracles import SIZES, Codes, Factors
from training.data.dsprites import COUNT, RenderedDSprites, classes_of


@pytest.fixture(scope="session")
def dataset() -> RenderedDSprites:
    return RenderedDSprites()


@pytest.fixture(scope="session")
def factors() -> Factors:
    return classes_of(np.random.default_rng(0).integers(0, COUNT, 10_000))


@pytest.fixture(scope="session")
def indices(factors: Factors) -> Codes:
    """The index of each class, scaled to -1..1."""
    return 2 * factors / (SIZES - 1) - 1


@pytest.fixture(scope="session")
def noisy(indices: Codes) -> Codes:
    return indices + 0.02 * np.random.default_rng(1).standard_normal(indices.shape)


@pytest.fixture(scope="session")
def angle(indices: Codes, factors: Factors) -> Codes:
    """Orientation as cosine and sine."""
    turn = 2 * np.pi * factors[:, 2] / 39
    return np.column_stack([indices[:, [0, 1, 3, 4]], np.cos(turn), np.sin(turn)])


@pytest.fixture(scope="session")
def noise(factors: Factors) -> Codes:
    return np.random.default_rng(2).standard_normal((len(factors), 5))
