"""Set metrics on representations whose scores are known: label indices, with noise, as an angle, and pure noise.

Figures of the oracle's rows were computed with disentanglement_lib's definitions on 10,000 samples.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.dsprites import COUNT, classes_of
from training.metrics.beta_vae import beta_vae
from training.metrics.dci import completeness, disentanglement, importances
from training.metrics.factor_vae import factor_vae
from training.metrics.mig import entropies, informations, mig
from training.metrics.modularity import explicitness, modularity
from training.metrics.sap import sap

Codes = NDArray[np.float64]
Factors = NDArray[np.intp]
SIZES = np.array([3, 6, 40, 32, 32])


@pytest.fixture(scope="module")
def factors() -> Factors:
    return classes_of(np.random.default_rng(0).integers(0, COUNT, 10_000))


@pytest.fixture(scope="module")
def indices(factors: Factors) -> Codes:
    """Each label's index, scaled to -1..1."""
    return 2 * factors / (SIZES - 1) - 1


@pytest.fixture(scope="module")
def noisy(indices: Codes) -> Codes:
    return indices + 0.02 * np.random.default_rng(1).standard_normal(indices.shape)


@pytest.fixture(scope="module")
def angle(indices: Codes, factors: Factors) -> Codes:
    """Orientation as cosine and sine."""
    turn = 2 * np.pi * factors[:, 2] / 39
    return np.column_stack([indices[:, [0, 1, 3, 4]], np.cos(turn), np.sin(turn)])


@pytest.fixture(scope="module")
def noise(factors: Factors) -> Codes:
    return np.random.default_rng(2).standard_normal((len(factors), 5))


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


def test_dci_of_the_label_indices_is_one(indices: Codes, factors: Factors) -> None:
    importance, accuracy = importances(indices, factors)
    assert disentanglement(importance) == pytest.approx(1, abs=0.01)
    assert completeness(importance) == pytest.approx(1, abs=0.01)
    assert accuracy == pytest.approx(1, abs=0.01)


def test_dci_of_an_angle_is_incomplete(angle: Codes, factors: Factors) -> None:
    importance, _ = importances(angle, factors)
    assert disentanglement(importance) == pytest.approx(0.993, abs=0.02)  # of boosted trees; these are forests
    assert completeness(importance) == pytest.approx(0.925, abs=0.02)


def test_codes_that_all_are_used_alike_have_no_dci() -> None:
    assert disentanglement(np.ones((4, 3))) == pytest.approx(0, abs=1e-6)
    assert completeness(np.ones((4, 3))) == pytest.approx(0, abs=1e-6)


def test_sap_of_the_label_indices(factors: Factors) -> None:
    assert sap(factors.astype(np.float64), factors) == pytest.approx(0.244, abs=0.01)


def test_noise_has_no_sap(noise: Codes, factors: Factors) -> None:
    assert sap(noise[:3000], factors[:3000]) < 0.03


def test_the_label_indices_have_full_marks_where_a_factor_is_fixed(indices: Codes, factors: Factors) -> None:
    assert factor_vae(indices, factors) == pytest.approx(1, abs=0.01)
    assert beta_vae(indices, factors) == pytest.approx(1, abs=0.01)


def test_noise_is_at_chance_where_a_factor_is_fixed(noise: Codes, factors: Factors) -> None:
    assert factor_vae(noise, factors) == pytest.approx(0.2, abs=0.05)
    assert beta_vae(noise, factors) == pytest.approx(0.2, abs=0.05)


def test_one_hot_codes_confuse_the_metric_of_factor_vae(factors: Factors) -> None:
    one_hot = np.concatenate([np.eye(size)[factor] for size, factor in zip(SIZES, factors.T, strict=True)], axis=1)
    assert factor_vae(one_hot, factors) == pytest.approx(0.771, abs=0.03)


def test_modularity_is_one_where_each_code_tells_of_one_factor(indices: Codes, factors: Factors) -> None:
    assert modularity(informations(indices, factors)) == pytest.approx(1, abs=0.01)
    assert modularity(np.ones((3, 5))) == 0
    # one code tells twice as much of one factor as of another: 1 - (1/2)^2 / (F - 1)
    assert modularity(np.array([[2.0, 1.0, 0.0]])) == pytest.approx(1 - 0.25 / 2)


def test_explicitness_is_one_for_one_hot_codes_and_none_for_noise(noise: Codes, factors: Factors) -> None:
    few, codes = factors[:3000, :1], np.eye(3)[factors[:3000, 0]]
    assert explicitness(codes, few) == pytest.approx(1)
    assert explicitness(noise[:3000], few) == pytest.approx(0, abs=0.1)
