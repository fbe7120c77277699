from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from service.problems import Problem
from service.settings import Settings
from service.web.request_bodies import parse_json
from tests.service.toys import image

JSON = {"Content-Type": "application/json"}


def test_json_is_read_as_json():
    text = '{"a": [1, 2.5, -3e2, "\\u00e9", true, null], "b": {}}'
    assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'"\xff"',
        b"\xfe\xff\x00{\x00}",
        b"[" * 20_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"1 2",
        b"01",
    ],
)
def test_malformed_json_is_a_400(text: bytes, client: TestClient):
    with pytest.raises(Problem) as caught:
        parse_json(text)
    assert caught.value.status_code == 400
    assert client.post("/decode", content=text, headers=JSON).status_code == 400


@pytest.mark.parametrize("depth", [100, 300, 500, 800, 950, 990])
def test_deep_values_are_no_500(client: TestClient, depth: int):
    for opened, closed in (("[", "]"), ('{"value":', "}")):
        value = opened * depth + "1" + closed * depth
        response = client.post("/decode", content=f'{{"attributes": {{"scale": {value}}}}}', headers=JSON)
        assert response.status_code in (200, 400, 422)


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_another_content_type_than_json_is_a_415(client: TestClient, media: str):
    response = client.post("/decode", content=b"{}", headers={"Content-Type": media})
    assert response.status_code == 415
    assert response.json()["accepted"] == ["application/json"]


def test_parameters_of_the_content_type_are_fine(client: TestClient):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/decode", content=b'{"attributes": {}}', headers=headers).status_code == 200


def test_a_key_that_comes_twice_among_very_many_is_found():
    keys = ",".join(f'"{i}":0' for i in range(100_000))
    with pytest.raises(Problem, match="there twice"):
        parse_json(f'{{{keys},"0":0}}'.encode())


@pytest.mark.parametrize("body", ['{"attributes": [%s]}', '{"z": [%s]}'])
def test_json_of_very_many_values_is_refused_before_it_is_parsed(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, body: str
):
    monkeypatch.setattr("service.web.request_bodies.parse_json", lambda body: pytest.fail("parsed"))
    most = 512 * settings.max_frames
    response = client.post("/decode", content=body % ",".join(["{}"] * most), headers=JSON)
    assert (response.status_code, response.json()["limit"]) == (413, most)


def test_as_many_items_as_may_be_with_all_that_encode_says_of_them_are_not_too_many(
    client: TestClient, settings: Settings
):
    items = client.post("/encode?detail=weights", json={"images": [image({0: 1})] * settings.max_items}).json()["items"]
    body = {"attributes": [item["attributes"] for item in items]}
    assert client.post("/decode", json=body).status_code == 200
