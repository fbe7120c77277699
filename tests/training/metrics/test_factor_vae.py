import numpy as np
import pytest

from tests.training.metrics.oracles import SIZES, Codes, Factors
from training.metrics.factor_vae import factor_vae


def test_the_label_indices_have_full_marks_where_a_factor_is_fixed(indices: Codes, factors: Factors) -> None:
    assert factor_vae(indices, factors) == pytest.approx(1, abs=0.01)


def test_noise_is_at_chance_where_a_factor_is_fixed(noise: Codes, factors: Factors) -> None:
    assert factor_vae(noise, factors) == pytest.approx(0.2, abs=0.05)


def test_one_hot_codes_confuse_the_metric_of_factor_vae(factors: Factors) -> None:
    one_hot = np.concatenate([np.eye(size)[factor] for size, factor in zip(SIZES, factors.T, strict=True)], axis=1)
    assert factor_vae(one_hot, factors) == pytest.approx(0.771, abs=0.03)


def test_codes_that_do_not_vary_score_nothing(factors: Factors) -> None:
    assert factor_vae(np.zeros((len(factors), 2)), factors) == 0
