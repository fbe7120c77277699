"""Shares of variance, beside scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from training.inspection.variance import RIDGE, explained, explained_together, one_hot


def test_between_classes_lies_what_the_law_of_total_variance_says() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(-1, 3, 500)
    images = rng.normal(size=(500, 7)) + classes[:, None] * np.linspace(0, 1, 7)
    known = images[classes >= 0]
    groups = [images[classes == each] for each in range(3)]
    within = sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups)
    total = ((known - known.mean(axis=0)) ** 2).sum()
    assert explained(images, classes, 3) == pytest.approx(1 - within / total, rel=1e-4)


def test_the_prediction_is_that_of_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, 500), rng.integers(-1, 3, 500)
    images = rng.normal(size=(500, 5)) + first[:, None] - 2 * (second == 1)[:, None]
    members = [one_hot(first, 4), one_hot(second, 3)]
    design = np.concatenate([np.ones((500, 1)), *members], axis=1)
    model = Ridge(alpha=RIDGE * 400, fit_intercept=False).fit(design[:400], images[:400])
    left = ((images[400:] - model.predict(design[400:])) ** 2).sum()
    total = ((images[400:] - images[:400].mean(axis=0)) ** 2).sum()
    assert explained_together(images, members) == pytest.approx(1 - left / total, abs=1e-4)


def test_nothing_is_explained_where_nothing_varies() -> None:
    images = np.ones((10, 4))
    assert math.isnan(explained(images, np.arange(10) % 2, 2))
    assert math.isnan(explained(images, np.full(10, -1), 2))
    assert math.isnan(explained_together(images, [one_hot(np.arange(10) % 2, 2)]))
    assert math.isnan(explained_together(images[:1], [one_hot(np.zeros(1, int), 2)]))
