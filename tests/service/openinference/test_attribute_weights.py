from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from attributes import Attributes
from service.openinference.attribute_weights import normalised
from tests.service.openinference.asking import infer, problem_of, tensor
from tests.service.toy_systems import ORIENTATION, SHAPE, STYLE

ATTRIBUTES = Attributes((SHAPE, ORIENTATION, STYLE))


def test_classes_are_normalised_aliases_folded_and_values_kept():
    weights = np.zeros((2, 44), np.float32)
    weights[0, [0, 2]], weights[1, 1] = (1, 3), 1e-38
    weights[0, 3 + 39], weights[1, [3, 3 + 39]] = 5, (3e38, 1e38)
    weights[:, -1] = -2.5, 3
    expected = np.zeros((2, 44))
    expected[0, [0, 2]], expected[1, 1] = (0.25, 0.75), 1
    expected[:, 3] = 1  # class 39 of orientation is class 0
    expected[:, -1] = -2.5, 3
    np.testing.assert_allclose(normalised(ATTRIBUTES, weights), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (0, -1, "inputs[0]: weights[1, 0]: got -1; accepts a number from 0 to 3.40282e+38"),
        (81, 3.5, "inputs[0]: weights[1, 81]: got 3.5; accepts a number from -3 to 3"),
        (81, -3.5, "inputs[0]: weights[1, 81]: got -3.5; accepts a number from -3 to 3"),
    ],
)
def test_weights_out_of_range_are_a_422(client: TestClient, column: int, value: float, message: str):
    weights = np.ones((2, 82), np.float32)
    weights[1, column] = value
    assert problem_of(infer(client, "codes", tensor("weights", weights)), 422) == message


def test_an_attribute_needs_a_weight(client: TestClient):
    weights = np.ones((3, 82), np.float32)
    weights[2, 3:9] = 0
    message = problem_of(infer(client, "codes", tensor("weights", weights)), 422)
    assert message == "weights[2]: scale: got only 0; accepts weights >= 0, not all 0"
