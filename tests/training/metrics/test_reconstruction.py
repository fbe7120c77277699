import numpy as np
import pytest
from scipy.stats import entropy

from tests.training.metrics.oracles import ROWS, Blank
from training.data.dsprites import RenderedDSprites
from training.metrics import score
from training.metrics.reconstruction import cross_entropy


def test_squares_of_a_blank_image_are_those_of_the_true_one() -> None:
    dataset = RenderedDSprites()
    scores = score(Blank(dataset, ROWS[:100]), dataset, ROWS[:100])
    images = dataset.batch(ROWS[:100]).images / 255
    assert scores["reconstruction.squares"].mean == pytest.approx((images**2).sum(axis=(1, 2, 3)).mean(), rel=1e-6)


def test_the_cross_entropy_of_equal_images_is_their_entropy() -> None:
    """Of pixels as Bernoulli variables, in nats, by scipy."""
    pixels = np.random.default_rng(0).uniform(0.05, 0.95, (3, 10))
    expected = [sum(entropy([p, 1 - p]) for p in image) for image in pixels]
    np.testing.assert_allclose(cross_entropy(pixels, pixels), expected)


def test_a_pixel_that_is_wrong_for_certain_costs_a_finite_amount() -> None:
    """ln(1e-7) is -16.1."""
    assert cross_entropy(np.array([[1.0, 1]]), np.array([[0.0, 1]])) == pytest.approx(16.118, abs=0.01)
