"""The reconstruction error, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attributes import reconstruction_error


def test_the_error_is_the_mean_absolute_difference_of_each_image() -> None:
    images = np.array([[[0.0, 1], [0.5, 0.5]], [[0, 0], [0, 0]]])[:, None]
    reconstructions = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0, 0], [0, 1]]])[:, None]
    assert reconstruction_error(images, reconstructions).tolist() == [0.25, 0.25]


def test_an_image_that_comes_back_has_no_error() -> None:
    images = np.random.default_rng(0).random((3, 1, 8, 8), np.float32)
    assert reconstruction_error(images, images).tolist() == [0, 0, 0]


def test_many_small_differences_are_summed_in_double_precision() -> None:
    """Ten million differences of .1 in float32: a float32 sum would be far off."""
    images = np.full((1, 10_000_000), 0.1, np.float32)
    assert reconstruction_error(images, np.zeros_like(images))[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)
