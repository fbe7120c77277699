from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service.openinference.asking import ENCODER, IMAGES, behind, binary, outputs_of, problem_of, tensor

DOCUMENT = json.dumps({"inputs": [tensor("image", IMAGES)]}).encode()


def post(client: TestClient, content: bytes, **headers: str) -> Any:
    return client.post(ENCODER, content=content, headers={name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize(
    "media", ["", "application/json", "application/octet-stream", "application/json; charset=utf8"]
)
def test_a_body_may_say_what_it_is_or_not(client: TestClient, media: str):
    headers = {"Content_Type": media} if media else {}
    assert outputs_of(post(client, DOCUMENT, **headers))["z"].shape == (2, 81)


@pytest.mark.parametrize("media", ["text/plain", "image/png", "application/x-www-form-urlencoded"])
def test_other_bodies_are_a_415(client: TestClient, media: str):
    message = problem_of(post(client, DOCUMENT, Content_Type=media), 415)
    assert message == f"the body: Content-Type {media!r}; accepts application/json, application/octet-stream"


def test_compressed_bodies_are_read_with_the_length_of_the_json_inside(client: TestClient):
    request = binary({"inputs": [behind("image", IMAGES)]}, IMAGES)
    content, headers = gzip.compress(request["content"]), request["headers"] | {"Content-Encoding": "gzip"}
    response = client.post(ENCODER, content=content, headers=headers)
    assert outputs_of(response)["z"].shape == (2, 81)


@pytest.mark.parametrize("length", ["", "x", "-1", "1.5", "²", "99999", "9" * 5000, "1e2"])
def test_a_length_of_the_json_that_can_not_be_is_a_400(client: TestClient, length: str):
    request = binary({"inputs": [behind("image", IMAGES)]}, IMAGES, length=length)
    headers = {name: value.encode() for name, value in request["headers"].items()}
    message = problem_of(client.post(ENCODER, content=request["content"], headers=headers), 400)
    assert "Inference-Header-Content-Length: got" in message


@pytest.mark.parametrize("length", ["0", "20", "150"])
def test_a_length_that_cuts_the_json_is_a_400(client: TestClient, length: str):
    request = binary({"inputs": [behind("image", IMAGES)]}, IMAGES, length=length)
    problem_of(client.post(ENCODER, **request), 400)


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 400, "malformed JSON: Input data was truncated"),
        (b"{", 400, "malformed JSON"),
        (b'{"inputs": []}{}', 400, "malformed JSON"),
        (b'{"inputs": [{"name": "\xff"}]}', 400, "malformed JSON"),
        (b'{"inputs": [{"name": "\\ud800"}]}', 400, "malformed JSON"),
        (b'{"x": ' + b"[" * 100_000, 400, "the JSON is nested too deeply"),
        (b"[]", 422, "the body: Expected `object`, got `array`"),
        (b"{}", 422, "the body: Object missing required field `inputs`"),
        (b'{"inputs": {}}', 422, "inputs: Expected `array`, got `object`"),
        (b'{"inputs": [{"shape": []}]}', 422, "inputs[0]: Object missing required field `name`"),
        (b'{"inputs": [], "id": 7}', 422, "id: Expected `str | null`, got `int`"),
    ],
)
def test_a_body_that_is_no_request_says_why(client: TestClient, content: bytes, status: int, message: str):
    assert message in problem_of(client.post(ENCODER, content=content), status)
