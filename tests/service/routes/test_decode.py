from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.settings import Settings
from tests.service.toy_systems import SCALE, SHAPE

NPY, JSON = {"Accept": "application/x-npy"}, {"Accept": "application/json"}


def painted(client: TestClient, values: Any, model: str = "grey") -> np.ndarray:
    """The z that the toy decoder painted into the first pixels, times 255."""
    response = client.post(f"/decode?model={model}", json={"attributes": values}, headers=NPY)
    assert response.status_code == 200, response.text
    pixels = np.load(io.BytesIO(response.content))
    return pixels[..., 0].reshape(len(pixels), -1)[:, :81]


def test_png_is_the_default(client: TestClient):
    response = client.post("/decode", json={"attributes": {"shape": "heart"}})
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.size, image.mode) == ((32, 32), "L")
        assert np.asarray(image)[0, :3].tolist() == [0, 0, 255]


def test_missing_attributes_take_their_default(client: TestClient):
    expected = np.zeros(81)
    expected[[0, 3 + 5, 9, 49 + 16]] = 255
    np.testing.assert_array_equal(painted(client, {})[0], expected)


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


def test_z_is_taken_as_it_is(client: TestClient):
    z = np.linspace(0, 1, 81)
    response = client.post("/decode", json={"z": z.tolist()}, headers=NPY)
    pixels = np.load(io.BytesIO(response.content))
    assert pixels.shape == (1, 32, 32, 1)
    np.testing.assert_allclose(pixels.reshape(-1)[:81], z * 255, atol=0.51)
    several = client.post("/decode", json={"z": [z.tolist(), z.tolist()]}, headers=NPY)
    assert np.load(io.BytesIO(several.content)).shape == (2, 32, 32, 1)


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


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"attributes": {}, "z": [0] * 81},
        {"attributes": None},
        {"attributes": 5},
        {"attributes": []},
        {"attributes": [5]},
        {"attributes": {}, "columns": 2},
        {"z": None},
        [],
        None,
        "text",
    ],
)
def test_another_body_than_documented_is_a_422(client: TestClient, body: Any):
    response = client.post("/decode", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"]


def test_several_items_are_a_sheet(client: TestClient):
    items = [{"shape": label} for label in SHAPE.labels] * 2
    for columns, size in ((None, (96, 64)), (2, (64, 96)), (100, (192, 32))):
        query = f"?columns={columns}" if columns else ""
        response = client.post(f"/decode{query}", json={"attributes": items})
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == size
        assert response.headers["X-Sheet-Columns"] == str(size[0] // 32)
    assert client.post("/decode?columns=0", json={"attributes": items}).status_code == 422


def test_json_has_the_resolved_values_and_the_image(client: TestClient):
    response = client.post("/decode", json={"attributes": [{"orientation": 40, "shape": 2}, {}]}, headers=JSON)
    answer = response.json()
    assert answer["model"] == "grey"
    assert answer["digest"] == response.headers["X-Model-Digest"]
    assert answer["items"][0]["attributes"] == {"shape": "heart", "scale": 5, "orientation": 1, "pos_x": 16}
    assert answer["items"][1]["attributes"]["shape"] == "square"
    assert base64.b64decode(answer["items"][1]["image"]) == client.post("/decode", json={"attributes": {}}).content


@pytest.mark.parametrize(
    "media", ["image/png", "image/webp", "image/gif", "image/apng", "application/x-npy", "application/zip"]
)
def test_answers_are_deterministic_and_bear_a_weak_etag(client: TestClient, media: str):
    first, second = (
        client.post("/decode", json={"attributes": value}, headers={"Accept": media})
        for value in ({"shape": 2, "orientation": 0}, {"orientation": 39, "shape": "heart", "scale": 5})
    )
    assert first.headers["content-type"] == media
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].startswith('W/"')
    other = client.post("/decode", json={"attributes": {"shape": 1}}, headers={"Accept": media})
    assert other.headers["etag"] != first.headers["etag"]


def test_etags_differ_by_model_and_format(client: TestClient):
    tags = [
        client.get(f"/decode?model={model}", headers={"Accept": media}).headers["etag"]
        for model in ("grey", "alpha")
        for media in ("image/png", "image/webp")
    ]
    assert len(set(tags)) == 4


def test_get_gives_what_post_gives(client: TestClient):
    got = client.get("/decode?shape=heart&scale=2.5&orientation=-1")
    posted = client.post("/decode", json={"attributes": {"shape": "heart", "scale": 2.5, "orientation": 38}})
    assert got.content == posted.content
    assert got.headers["etag"] == posted.headers["etag"]
    assert got.headers["vary"] == "Accept"
    assert "max-age" in got.headers["cache-control"]
    weights = client.get("/decode?shape=1,0,1")
    assert weights.content == client.post("/decode", json={"attributes": {"shape": [1, 0, 1]}}).content


def test_if_none_match_is_answered_with_304(client: TestClient):
    tag = client.get("/decode?shape=heart").headers["etag"]
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        response = client.get("/decode?shape=heart", headers={"If-None-Match": known})
        assert response.status_code == 304
        assert not response.content
        assert response.headers["etag"] == tag
        assert response.headers["vary"] == "Accept"
    assert client.get("/decode?shape=square", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "query", ["size=3", "shape=hart", "scale=9", "scale=nan", "scale=", "shape=heart&shape=square", "scale=1,2"]
)
def test_wrong_query_parameters_are_a_422(client: TestClient, query: str):
    assert client.get(f"/decode?{query}").status_code == 422


def test_typos_in_query_parameters_do_not_pass_silently(client: TestClient):
    assert client.post("/decode?colums=3", json={"attributes": {}}).status_code == 422
    assert client.post("/decode?model=grey&model=codes", json={"attributes": {}}).status_code == 422


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


def test_too_many_items_are_a_413(client: TestClient, settings: Settings):
    items = [{}] * (settings.max_items + 1)
    assert client.post("/decode", json={"attributes": items[1:]}).status_code == 200
    assert client.post("/decode", json={"attributes": items}).status_code == 413
    assert client.post("/decode", json={"z": [[0] * 81] * len(items)}).status_code == 413
