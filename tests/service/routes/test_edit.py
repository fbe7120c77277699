"""/edit as a route; what it does to z is tested in latent/test_editing.py."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service.web.response_schemas import DecodeAnswer
from tests.service.toy_systems import DISCRETE
from tests.service.toys import image, npy, pixels_of

NPY, JSON = {"Accept": "application/x-npy"}, {"Accept": "application/json"}
BODY = {"Content-Type": "application/json"}
STARTS = {"shape": 0, "scale": 3, "orientation": 9, "pos_x": 49}


def picture(**classes: int) -> str:
    """An image from which `grey` and `codes` read these classes, 0 where none is given."""
    return image({STARTS[a.name] + classes.get(a.name, 0): 1 for a in DISCRETE})


def edited(client: TestClient, body: dict[str, Any], model: str = "grey") -> NDArray[Any]:
    return pixels_of(client.post(f"/edit?model={model}", json=body, headers=NPY))[0]


def values_after(client: TestClient, body: dict[str, Any], model: str = "grey") -> dict[str, Any]:
    answer = client.post(f"/edit?model={model}", json=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    DecodeAnswer.model_validate(answer.json(), extra="forbid")
    return answer.json()["items"][0]["attributes"]


def test_sets_and_adds(client: TestClient) -> None:
    body = {"image": picture(shape=1, scale=2, pos_x=7), "set": {"shape": "heart"}, "add": {"pos_x": 3}}
    assert np.flatnonzero(edited(client, body) > 0.98).tolist() == [2, 3 + 2, 9, 49 + 10]


def test_says_the_values_after_the_edit_as_decode_takes_them(client: TestClient) -> None:
    body = {"image": picture(shape=1, scale=2, pos_x=7), "set": {"shape": "heart"}, "add": {"pos_x": 3}}
    said = values_after(client, body)
    assert said == {
        "shape": "heart",
        "scale": pytest.approx(2, abs=1e-3),
        "orientation": pytest.approx(0, abs=1e-3),
        "pos_x": pytest.approx(10, abs=1e-3),
    }
    assert client.post("/decode", json={"attributes": said}).status_code == 200


@pytest.mark.parametrize("model", ["grey", "codes", "group", "conditional", "colour", "alpha"])
@pytest.mark.parametrize("change", [{}, {"set": {}}, {"add": {}}])
def test_without_changes_it_is_the_reconstruction(client: TestClient, model: str, change: Any) -> None:
    noise = npy(np.random.default_rng(0).random((32, 32), np.float32))
    (item,) = client.post(f"/encode?model={model}", json={"images": [noise]}).json()["items"]
    expected = client.post(f"/decode?model={model}", json={"z": item["z"]}, headers=NPY).content
    assert client.post(f"/edit?model={model}", json={"image": noise} | change, headers=NPY).content == expected


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"set": {"colour": 1}}, "set", "accepts the names shape, scale"),
        ({"add": {"colour": 1}}, "add", "accepts the names shape, scale"),
        ({"set": {"scale": 6}}, "set.scale", "got 6; accepts a number from 0 to 5"),
        ({"set": {"scale": True}}, "set.scale", "got True; accepts"),
        ({"set": {"scale": None}}, "set.scale", "got None; accepts"),
        ({"add": {"scale": 6}}, "add.scale", "got 6; accepts steps that end within 0 to 5; this one ends at 6"),
        ({"add": {"scale": -1}}, "add.scale", "got -1; accepts steps that end within 0 to 5; this one ends at -1"),
        ({"add": {"shape": 1}}, "add.shape", "got 1; accepts no steps"),
        ({"add": {"scale": "1"}}, "add.scale", "got '1'; accepts a finite number of steps"),
        ({"add": {"scale": True}}, "add.scale", "got True; accepts a finite number"),
        ({"add": {"scale": None}}, "add.scale", "got None; accepts a finite number"),
        ({"add": {"scale": [1]}}, "add.scale", "got [1]; accepts a finite number"),
        ({"add": {"scale": 10**399}}, "add.scale", "accepts a finite number"),
        ({"add": {"orientation": 10**399}}, "add.orientation", "accepts a finite number"),
        ({"add": {"orientation": -(10**309)}}, "add.orientation", "accepts a finite number"),
        ({"set": {"scale": 1}, "add": {"scale": 1}}, "set.scale", "is in add, too"),
    ],
)
def test_a_wrong_change_is_a_422_that_says_where(
    client: TestClient, change: dict[str, Any], where: str, message: str
) -> None:
    answer = client.post("/edit", content=json.dumps({"image": picture()} | change), headers=BODY)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["where"] == where
    assert message in answer.json()["detail"]


@pytest.mark.parametrize("step", ["1e999", "-1e999"])
def test_an_overflow_is_a_422(client: TestClient, step: str) -> None:
    content = f'{{"image": "{picture()}", "add": {{"orientation": {step}}}}}'
    assert client.post("/edit", content=content, headers=BODY).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"image": None}, 422),
        ({"image": [picture()]}, 422),
        ({"images": [picture()]}, 422),
        ({"image": picture(), "put": {}}, 422),
        ({"image": picture(), "to": {}}, 422),
        ({"image": picture(), "set": []}, 422),
        ({"image": picture(), "add": None}, 422),
        ({"image": "no base64!"}, 400),
        ({"image": ""}, 400),
        ({"image": "aGVsbG8="}, 400),
        ({"image": npy(np.zeros((2, 32, 32), np.uint8))}, 413),
        ({"image": npy(np.zeros((600, 600), np.uint8))}, 413),
    ],
)
def test_another_body_than_documented_is_refused(client: TestClient, body: Any, status: int) -> None:
    answer = client.post("/edit", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def changed(style: float = 0.9) -> dict[str, Any]:
    return {"image": image({2: 0.7}), "set": {"style0": style}}


@pytest.mark.parametrize(
    "media",
    ["image/png", "image/webp", "image/gif", "image/apng", "application/x-npy", "application/zip"],
)
def test_answers_in_the_formats_of_decode_with_its_headers(client: TestClient, media: str) -> None:
    first, second = (client.post("/edit?model=group", json=changed(), headers={"Accept": media}) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["content-type"] == media
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].startswith('W/"')
    for header in ("X-Request-ID", "X-Model-Digest", "X-Execution-Provider", "Server-Timing"):
        assert first.headers[header]
    other = client.post("/edit?model=group", json=changed(0.1), headers={"Accept": media})
    assert other.headers["etag"] != first.headers["etag"]


def test_refuses_what_all_routes_refuse(client: TestClient) -> None:
    body = changed()
    assert client.post("/edit?model=group", json=body, headers={"Accept": "text/html"}).status_code == 406
    assert client.post("/edit?model=nope", json=body).status_code == 404
    assert client.post("/edit?model=group&x=1", json=body).status_code == 422
    assert client.post("/edit?model=group", content=b"{", headers=BODY).status_code == 400
    assert client.post("/edit?model=group", content=b"x").status_code == 415
    assert client.get("/edit").status_code == 405
