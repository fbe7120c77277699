import pytest

from tests.training.metrics.oracles import Codes, Factors
from training.metrics.beta_vae import beta_vae


def test_the_label_indices_have_full_marks_where_a_factor_is_fixed(indices: Codes, factors: Factors) -> None:
    assert beta_vae(indices, factors) == pytest.approx(1, abs=0.01)


def test_noise_is_at_chance_where_a_factor_is_fixed(noise: Codes, factors: Factors) -> None:
    assert beta_vae(noise, factors) == pytest.approx(0.2, abs=0.05)
