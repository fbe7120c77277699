from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.inference.model import Model
from service.latent.points import is_rounded, points_of_attributes, points_of_query, points_of_z
from service.problems import Problem
from tests.service.toy_systems import SCALE, SHAPE

NPY = {"Accept": "application/x-npy"}


def painted(client: TestClient, values: Any, model: str = "grey") -> np.ndarray:
    """The z that the toy decoder painted into the first pixels, times 255."""
    response = client.post(f"/decode?model={model}", json={"attributes": values}, headers=NPY)
    assert response.status_code == 200, response.text
    pixels = np.load(io.BytesIO(response.content))
    return pixels[..., 0].reshape(len(pixels), -1)[:, :81]


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        ({"shape": "heart"}, {2: 255}),
        ({"shape": 2}, {2: 255}),
        ({"shape": [0, 0, 7]}, {2: 255}),
        ({"shape": [1, 0, 1]}, {0: 128, 2: 128}),
        ({"shape": {"value": "heart", "index": 2, "confidence": 1}}, {2: 255}),
        ({"scale": 2.5}, {3 + 2: 128, 3 + 3: 128}),
        ({"scale": 5.0}, {3 + 5: 255}),
        ({"orientation": 39}, {9: 255}),
        ({"orientation": -1}, {9 + 38: 255}),
        ({"orientation": 38.5}, {9 + 38: 128, 9: 128}),
        ({"orientation": [0] * 39 + [1]}, {9: 255}),
    ],
)
def test_every_form_of_a_value_gives_its_weights(client: TestClient, values: dict[str, Any], columns: dict[int, int]):
    (name,) = values
    start, stop = {"shape": (0, 3), "scale": (3, 9), "orientation": (9, 49)}[name]
    expected = np.zeros(81)
    for column, value in columns.items():
        expected[column] = value
    np.testing.assert_allclose(painted(client, values)[0, start:stop], expected[start:stop], atol=1)


@pytest.mark.parametrize(
    "value",
    [
        True,
        None,
        "big",
        "",
        -0.1,
        5.1,
        1e999,
        10**400,
        [1, 2],
        [0] * 6,
        [-1, 1, 1, 1, 1, 1],
        [True, 0, 0, 0, 0, 0],
        ["1", 0, 0, 0, 0, 0],
        {},
        {"value": None},
        {"index": 3},
        [[1, 0, 0, 0, 0, 0]],
    ],
)
def test_a_wrong_value_is_a_422_that_names_attribute_got_and_accepted(client: TestClient, value: Any):
    content = f'{{"attributes": {{"scale": {dumped(value)}}}}}'
    response = client.post("/decode", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["attribute"] == "scale"
    assert problem["where"] == "attributes.scale"
    assert problem["accepted"] == SCALE.accepted
    assert problem["got"]


def dumped(value: Any) -> str:
    return "1e999" if value == float("inf") else json.dumps(value)


def test_nominal_attributes_take_no_fractions(client: TestClient):
    response = client.post("/decode", json={"attributes": {"shape": 0.5}})
    assert response.status_code == 422
    assert response.json()["accepted"] == SHAPE.accepted


def test_an_unknown_attribute_is_a_422_that_lists_the_known_ones(client: TestClient):
    response = client.post("/decode", json={"attributes": [{}, {"size": 3}]})
    assert response.status_code == 422
    assert response.json()["where"] == "attributes[1]"
    assert "shape, scale, orientation, pos_x" in response.json()["accepted"]


def test_an_error_in_one_item_of_many_names_the_item(client: TestClient):
    response = client.post("/decode", json={"attributes": [{}, {}, {"scale": 9}]})
    assert response.status_code == 422
    assert response.json()["where"] == "attributes[2].scale"


@pytest.mark.parametrize(
    ("z", "where"),
    [
        ("[]", "z"),
        ("[1, 2]", "z"),
        ("[[1, 2], [3]]", "z[0]"),
        ("[" + "0, " * 80 + "true]", "z[80]"),
        ("[" + "0, " * 80 + "null]", "z[80]"),
        ("[" + "0, " * 80 + '"1"]', "z[80]"),
        ("[" + "0, " * 80 + "1e39]", "z[80]"),
        ("[" + "0, " * 80 + "1e999]", "z[80]"),
        ("[" + "0, " * 80 + "1" * 400 + "]", "z[80]"),
        ("[" + "0, " * 80 + "1" * 5000 + "]", "z[80]"),
        ("[[" + "0, " * 80 + "0], 5]", "z[1]"),
    ],
)
def test_a_wrong_z_is_a_422_that_says_where(client: TestClient, z: str, where: str):
    response = client.post("/decode", content=f'{{"z": {z}}}', headers={"Content-Type": "application/json"})
    assert response.status_code == 422, response.text
    assert response.json()["where"] == where


def test_mixing_is_said_where_an_attribute_can_not_be_mixed(client: TestClient):
    mixed = {"attributes": {"shape": [1, 2, 0]}}
    response = client.post("/decode?model=codes", json=mixed, headers=NPY)
    assert response.headers["X-Mixing"] == "nearest"
    assert np.load(io.BytesIO(response.content))[0, 0, 0, 0] == round(255 / 40)
    assert "X-Mixing" not in client.post("/decode", json=mixed).headers
    assert "X-Mixing" not in client.post("/decode?model=codes", json={"attributes": {"shape": 1}}).headers


def test_continuous_attributes_take_values_in_their_range(client: TestClient):
    assert client.post("/decode?model=codes", json={"attributes": {"style": 1.25}}).status_code == 200
    for wrong in (3.1, "a", [1], True):
        response = client.post("/decode?model=codes", json={"attributes": {"style": wrong}})
        assert response.status_code == 422
        assert response.json()["accepted"] == "a number from -3 to 3"


def test_free_latents_take_values_past_their_range_up_to_their_limits(client: TestClient):
    """Range -2..2, limits -4..4; pixel 2 is (value + 5) / 10."""
    for value, pixel in ((4, 0.9), (-4, 0.1), (-3, 0.2)):
        assert painted(client, {"style0": value}, "group")[0, 2] == pytest.approx(255 * pixel, abs=0.6)
    assert client.get("/decode?model=group&style0=3.5").status_code == 200
    for wrong in (4.01, -5):
        response = client.post("/decode?model=group", json={"attributes": {"style0": wrong}})
        assert response.status_code == 422
        assert response.json()["accepted"] == "a number from -4 to 4"


@pytest.fixture(scope="module")
def grey(bundles: Path) -> Model:
    return Model.load(bundles / "grey", "cpu")


@pytest.fixture(scope="module")
def codes(bundles: Path) -> Model:
    return Model.load(bundles / "codes", "cpu")


def test_text_of_a_query_means_what_the_same_value_means_in_json(grey: Model):
    of_query = points_of_query(grey, {"shape": "heart", "scale": "2.5", "orientation": "-1"})
    of_json = points_of_attributes(grey, {"shape": "heart", "scale": 2.5, "orientation": 38}, 1)
    np.testing.assert_array_equal(of_query.z, of_json.z)
    assert of_query.attributes == of_json.attributes


def test_several_sets_of_values_are_a_row_each(grey: Model):
    several = points_of_attributes(grey, [{"shape": "heart"}, {}, {"scale": 2.5}], 3)
    assert several.z.shape == (3, 81)
    for row, values in zip(several.z, [{"shape": "heart"}, {}, {"scale": 2.5}], strict=True):
        np.testing.assert_array_equal(row, points_of_attributes(grey, values, 1).z[0])


def test_one_z_or_several_are_rows_of_float32_without_attributes(grey: Model):
    z = np.linspace(-1, 1, 81).tolist()
    one, two = points_of_z(grey, z, 1), points_of_z(grey, [z, z], 2)
    assert (one.z.shape, one.z.dtype, one.attributes) == ((1, 81), np.float32, None)
    np.testing.assert_array_equal(two.z, np.float32([z, z]))


def test_more_items_than_allowed_are_a_413_that_says_the_limit(grey: Model):
    for points, given in ((points_of_attributes, [{}] * 3), (points_of_z, [[0.0] * 81] * 3)):
        with pytest.raises(Problem) as caught:
            points(grey, given, 2)
        assert (caught.value.status_code, caught.value.members["limit"]) == (413, 2)


def test_weights_between_classes_are_rounded_only_where_an_attribute_can_not_be_mixed(grey: Model, codes: Model):
    for model, rounded in ((grey, False), (codes, True)):
        weights = model.attributes.batch_of_weights([model.attributes.canonical({"shape": [1, 1, 0]})])
        assert is_rounded(model.codebook, weights) is rounded
        assert is_rounded(model.codebook, weights, ["shape"]) is rounded
        assert not is_rounded(model.codebook, weights, ["scale", "orientation"])


def test_missing_attributes_take_their_default(client: TestClient):
    expected = np.zeros(81)
    expected[[0, 3 + 5, 9, 49 + 16]] = 255
    np.testing.assert_array_equal(painted(client, {})[0], expected)
