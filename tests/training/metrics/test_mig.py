import numpy as np
import pytest

from tests.training.metrics.oracles import SIZES, Codes, Factors
from training.metrics.mig import entropies, mig


def test_mig_of_the_label_indices_depends_on_the_bins(indices: Codes, factors: Factors) -> None:
    assert mig(indices, factors, 20) == pytest.approx(0.896, abs=0.01)
    assert mig(indices, factors, 40) == pytest.approx(0.988, abs=0.01)


def test_mig_of_an_angle_has_two_codes_for_one_factor(angle: Codes, factors: Factors) -> None:
    assert mig(angle, factors, 20) == pytest.approx(0.742, abs=0.01)


def test_mig_falls_with_noise(noisy: Codes, factors: Factors) -> None:
    assert mig(noisy, factors, 20) == pytest.approx(0.847, abs=0.01)
    assert mig(noisy, factors, 40) == pytest.approx(0.90, abs=0.01)


def test_noise_has_no_mig(noise: Codes, factors: Factors) -> None:
    assert mig(noise, factors, 20) < 0.01


def test_the_entropy_of_a_uniform_factor_is_the_logarithm_of_its_classes(factors: Factors) -> None:
    np.testing.assert_allclose(entropies(factors), np.log(SIZES), atol=0.01)
