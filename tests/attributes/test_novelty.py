"""The reconstruction error and what is unfamiliar by it, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attributes import is_unfamiliar, reconstruction_error


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


def half_lit(dark: float, light: float) -> np.ndarray:
    """An image [1, 1, 8, 8] whose left half has one level and whose right half another."""
    image = np.full((1, 1, 8, 8), dark, np.float32)
    image[..., 4:] = light
    return image


def test_an_image_is_unfamiliar_beyond_the_threshold() -> None:
    image = half_lit(0, 1)
    assert not is_unfamiliar(image, image * np.float32(0.81), 0.1)  # an error of .095
    assert is_unfamiliar(image, image * np.float32(0.79), 0.1)  # of .105


@pytest.mark.parametrize("level", [0, 1 / 255, 0.1234567, 0.5, 1])
@pytest.mark.parametrize("error", [0, 1e-3])
def test_a_blank_image_is_unfamiliar_however_well_it_comes_back(level: float, error: float) -> None:
    image = np.full((1, 1, 64, 64), level, np.float32)
    assert is_unfamiliar(image, image + np.float32(error), 0.1)


def test_a_blank_image_may_have_a_colour() -> None:
    image = np.broadcast_to(np.float32([[0.9], [0.1], [0.4]])[..., None], (1, 3, 8, 8)).copy()
    assert is_unfamiliar(image, image, 0.1)


@pytest.mark.parametrize("dark", [0, 0.5])
def test_an_image_whose_standard_deviation_is_below_a_grey_level_is_blank(dark: float) -> None:
    faint, seen = half_lit(dark, dark + 1.9 / 255), half_lit(dark, dark + 2.1 / 255)
    assert is_unfamiliar(faint, faint, 0.1)
    assert not is_unfamiliar(seen, seen, 0.1)


def test_an_image_of_which_less_than_a_tenth_comes_back_is_unfamiliar() -> None:
    """The variance is .0025 / 4; a share s of the contrast about the mean leaves (1 - s) ** 2 of it unexplained."""
    image = half_lit(0.1, 0.15)
    mean = np.float32(0.125)
    for share, expected in ((0.04, True), (0.06, False)):
        assert is_unfamiliar(image, mean + (image - mean) * np.float32(share), 0.1) == expected


def test_each_image_of_a_batch_is_judged_for_itself() -> None:
    images = np.concatenate([half_lit(0, 1), half_lit(0, 0), half_lit(0.2, 0.9), half_lit(0, 1)])
    reconstructions = np.concatenate([images[:3], half_lit(1, 0)])
    expected = [False, True, False, True]
    assert is_unfamiliar(images, reconstructions, 0.1).tolist() == expected
    alone = [is_unfamiliar(images[i : i + 1], reconstructions[i : i + 1], 0.1).item() for i in range(4)]
    assert alone == expected
