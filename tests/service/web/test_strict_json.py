from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from service.problems import Problem
from service.web.request_bodies import parse_json

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


def test_a_key_that_comes_twice_among_very_many_is_found():
    keys = ",".join(f'"{i}":0' for i in range(100_000))
    with pytest.raises(Problem, match="there twice"):
        parse_json(f'{{{keys},"0":0}}'.encode())
