import numpy as np
import pytest

from tests.training.metrics.oracles import Codes, Factors
from training.metrics.dci import completeness, disentanglement, importance_matrix


def test_dci_of_the_label_indices_is_one(indices: Codes, factors: Factors) -> None:
    importance, accuracy = importance_matrix(indices, factors)
    assert disentanglement(importance) == pytest.approx(1, abs=0.01)
    assert completeness(importance) == pytest.approx(1, abs=0.01)
    assert accuracy == pytest.approx(1, abs=0.01)


def test_dci_of_an_angle_is_incomplete(angle: Codes, factors: Factors) -> None:
    importance, _ = importance_matrix(angle, factors)
    assert disentanglement(importance) == pytest.approx(0.993, abs=0.02)  # of boosted trees; these are forests
    assert completeness(importance) == pytest.approx(0.925, abs=0.02)


def test_codes_that_all_are_used_alike_have_no_dci() -> None:
    assert disentanglement(np.ones((4, 3))) == pytest.approx(0, abs=1e-6)
    assert completeness(np.ones((4, 3))) == pytest.approx(0, abs=1e-6)
