import numpy as np
import pytest

from tests.training.metrics.oracles import Codes, Factors
from training.metrics.sap import sap


def test_sap_of_the_label_indices(factors: Factors) -> None:
    assert sap(factors.astype(np.float64), factors) == pytest.approx(0.244, abs=0.01)


def test_noise_has_no_sap(noise: Codes, factors: Factors) -> None:
    assert sap(noise[:3000], factors[:3000]) < 0.03
