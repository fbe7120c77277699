import numpy as np
import pytest

from training.metrics.scores import mean_with_interval


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Wilson's interval of 8 of 10: from Brown, Cai and DasGupta 2001, and statsmodels' proportion_confint."""
    low, high = mean_with_interval(np.array([1] * 8 + [0] * 2))[1:3]
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(5, 2, 10_000)
    score = mean_with_interval(values)
    assert score.mean == pytest.approx(5, abs=0.1)
    assert score.high - score.low == pytest.approx(2 * 1.96 * 2 / 100, rel=0.05)


def test_no_values_give_no_mean() -> None:
    assert mean_with_interval(np.array([np.nan])).rows == 0
