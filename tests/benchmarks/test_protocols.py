from __future__ import annotations

import base64
import json

from benchmarks.protocols import JSON, Message, OpenInference, Predictions, Protocol

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_message_has_the_length_of_its_body() -> None:
    head, body = Message("/decode", JSON, b"{}").http.split(b"\r\n\r\n")
    assert head.startswith(b"POST /decode HTTP/1.1\r\n")
    assert b"Content-Length: 2" in head.split(b"\r\n")
    assert body == b"{}"


def test_a_message_without_body_has_no_length_and_no_type() -> None:
    message = Protocol().wrap("decode-query", b"shape=heart&scale=3")
    assert message.http == b"GET /decode?shape=heart&scale=3 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"


def test_the_services_own_api_is_json_to_png_and_png_to_json() -> None:
    assert Protocol().wrap("decode", b"{}") == Message("/decode", "application/json", b"{}")
    assert Protocol().wrap("encode", PNG) == Message("/encode", "image/png", PNG)
    assert Protocol().wrap("edit", b"{}") == Message("/edit", "application/json", b"{}")
    assert Protocol().unwrap("encode", b"{}") == b"{}"


def test_several_items_are_asked_for_as_npy() -> None:
    message = Protocol().wrap("decode-items", b"{}")
    assert (message.path, message.accept) == ("/decode", "application/x-npy")


def test_torchserve_has_other_paths() -> None:
    assert Predictions().wrap("encode", PNG) == Message("/predictions/encode", "image/png", PNG)


def test_open_inference_carries_png_as_base64() -> None:
    message = OpenInference().wrap("encode", PNG)
    assert (message.path, message.content_type) == ("/v2/models/encode/infer", "application/json")
    (tensor,) = json.loads(message.body)["inputs"]
    assert base64.b64decode(tensor["data"][0]) == PNG
    response = {"outputs": [{"name": "output", "data": [base64.b64encode(PNG).decode()]}]}
    assert OpenInference().unwrap("decode", json.dumps(response).encode()) == PNG


def test_open_inference_carries_json_as_text() -> None:
    (tensor,) = json.loads(OpenInference().wrap("decode", b'{"attributes": {}}').body)["inputs"]
    assert tensor["data"] == ['{"attributes": {}}']
    response = {"outputs": [{"name": "output", "data": ['{"items": []}']}]}
    assert OpenInference().unwrap("encode", json.dumps(response).encode()) == b'{"items": []}'
