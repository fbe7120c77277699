import numpy as np
import pytest

from tests.training.metrics.oracles import Codes, Factors
from training.metrics.mig import mutual_information
from training.metrics.modularity import explicitness, modularity


def test_modularity_is_one_where_each_code_tells_of_one_factor(indices: Codes, factors: Factors) -> None:
    assert modularity(mutual_information(indices, factors)) == pytest.approx(1, abs=0.01)
    assert modularity(np.ones((3, 5))) == 0
    # one code tells twice as much of one factor as of another: 1 - (1/2)^2 / (F - 1)
    assert modularity(np.array([[2.0, 1.0, 0.0]])) == pytest.approx(1 - 0.25 / 2)


def test_explicitness_is_one_for_one_hot_codes_and_none_for_noise(noise: Codes, factors: Factors) -> None:
    few, codes = factors[:3000, :1], np.eye(3)[factors[:3000, 0]]
    assert explicitness(codes, few) == pytest.approx(1)
    assert explicitness(noise[:3000], few) == pytest.approx(0, abs=0.1)
