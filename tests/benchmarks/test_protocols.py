from __future__ import annotations

import base64
import json

from benchmarks.protocols import JSON, Message, OpenInference, Predictions, Protocol

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_message_says_how_long_its_body_is() -> None:
    head, body = Message("/decode", JSON, b"{}").http.split(b"\r\n\r\n")
    assert head.startswith(b"POST /decode HTTP/1.1\r\n")
    assert b"Content-Length: 2" in head.split(b"\r\n")
    assert body == b"{}"


def test_the_services_own_contract_is_json_to_png_and_png_to_json() -> None:
    assert Protocol().wrap("decode", b"{}") == Message("/decode", "application/json", b"{}")
    assert Protocol().wrap("encode", PNG) == Message("/encode", "image/png", PNG)
    assert Protocol().unwrap("encode", b"{}") == b"{}"


def test_torchserve_has_other_paths() -> None:
    assert Predictions().wrap("encode", PNG) == Message("/predictions/encode", "image/png", PNG)


def test_open_inference_carries_png_as_base64() -> None:
    message = OpenInference().wrap("encode", PNG)
    assert (message.path, message.content_type) == ("/v2/models/encode/infer", "application/json")
    (given,) = json.loads(message.body)["inputs"]
    assert base64.b64decode(given["data"][0]) == PNG
    answer = {"outputs": [{"name": "output", "data": [base64.b64encode(PNG).decode()]}]}
    assert OpenInference().unwrap("decode", json.dumps(answer).encode()) == PNG


def test_open_inference_carries_json_as_text() -> None:
    (given,) = json.loads(OpenInference().wrap("decode", b'{"attributes": {}}').body)["inputs"]
    assert given["data"] == ['{"attributes": {}}']
    answer = {"outputs": [{"name": "output", "data": ['{"items": []}']}]}
    assert OpenInference().unwrap("encode", json.dumps(answer).encode()) == b'{"items": []}'
