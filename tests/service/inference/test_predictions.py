from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from attributes import Attributes
from service.inference.predictions import Prediction, as_json, prediction_table
from tests.service.toy_systems import DISCRETE, ORIENTATION, SCALE, SHAPE, STYLE
from tests.service.toys import image

ATTRIBUTES = Attributes((*DISCRETE, STYLE))


def weights(**values: Any) -> np.ndarray:
    return ATTRIBUTES.weights(values)[None]


def read(name: str, **values: Any) -> Prediction:
    index = [attribute.name for attribute in ATTRIBUTES].index(name)
    return Prediction(*prediction_table(ATTRIBUTES, weights(**values))[0, index])


def test_a_class_is_read_with_its_probability():
    prediction = read("shape", shape=[1, 0, 3])
    assert (prediction.class_index, prediction.confidence) == (2, 0.75)
    assert math.isnan(prediction.sd)


@pytest.mark.parametrize(("position", "unit"), [(0, 0.5), (2.5, 0.75), (5, 1.0)])
def test_a_position_between_classes_is_told_in_the_unit_too(position: float, unit: float):
    prediction = read("scale", scale=position)
    assert prediction.value == pytest.approx(position, abs=1e-4)
    assert prediction.unit_value == pytest.approx(unit, abs=1e-5)


def test_a_circle_is_read_across_its_end():
    prediction = read("orientation", orientation=38.5)
    assert prediction.value == pytest.approx(38.5, abs=1e-4)


def test_each_kind_has_the_members_that_suit_it():
    table = prediction_table(ATTRIBUTES, weights(shape="heart", scale=3, style=1.5))[0]
    by_name = {a.name: as_json(a, row) for a, row in zip(ATTRIBUTES, table.tolist(), strict=True)}
    assert by_name[SHAPE.name] == {"value": "heart", "index": 2, "label": "heart", "confidence": 1}
    assert by_name[SCALE.name] == {"value": 3, "index": 3, "unit_value": pytest.approx(0.8), "confidence": 1}
    assert set(by_name[ORIENTATION.name]) == {"value", "index", "unit_value", "confidence"}
    assert by_name[STYLE.name] == {"value": 1.5, "sd": None}
    assert as_json(STYLE, Prediction(1.5, 0, 1.5, 1, 0.2)) == {"value": 1.5, "sd": 0.2}


def test_what_is_read_can_be_decoded_and_reads_the_same_again(client: TestClient):
    (item,) = client.post("/encode", json={"images": [image({2: 1, 3 + 4: 1, 9: 1, 49: 1})]}).json()["items"]
    again = client.post("/decode", json={"attributes": item["attributes"]}, headers={"Accept": "application/json"})
    values = again.json()["items"][0]["attributes"]
    assert values == {name: reading["value"] for name, reading in item["attributes"].items()}
