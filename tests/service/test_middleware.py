from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.middleware import BodyLimit
from service.settings import Settings


def test_a_sane_request_id_is_kept_and_another_is_replaced(client: TestClient):
    assert client.get("/health/live", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    for insane in ("", "a b", "x" * 129, 'a"b', "é".encode()):
        made = client.get("/health/live", headers={"X-Request-ID": insane}).headers["X-Request-ID"]
        assert len(made) == 32
    assert made != client.get("/health/live").headers["X-Request-ID"]


def test_answers_say_where_their_time_went(client: TestClient):
    header = client.get("/decode").headers["Server-Timing"]
    phases = dict(part.split(";dur=") for part in header.split(", "))
    assert set(phases) == {"inference", "images", "total"}
    assert 0 < float(phases["inference"]) < float(phases["total"])


def test_answers_say_which_model_made_them_and_where(client: TestClient):
    for response in (client.get("/decode"), client.post("/decode", json={"attributes": {"scale": 9}})):
        assert len(response.headers["X-Model-Digest"]) == 64
        assert response.headers["X-Execution-Provider"] == "CPUExecutionProvider"
    assert "X-Model-Digest" not in client.get("/health/live").headers


def test_every_request_has_a_log_line_without_its_query(client: TestClient, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "spritevae.access"):
        client.get("/health/live?x=secret", headers={"X-Request-ID": "abc"})
        client.get("/a%0Ab")
    first, second = caplog.messages
    assert "GET /health/live 422" in first
    assert first.endswith("abc")
    assert "secret" not in first
    assert "/a%0Ab 404" in second


def test_a_body_past_the_limit_is_a_413_whether_it_says_so_or_not(client: TestClient, settings: Settings):
    large = b"x" * (settings.max_body_bytes + 1)

    def chunked() -> Iterator[bytes]:
        yield large[:1000]
        yield large[1000:]

    for path, media in (
        ("/encode", "image/png"),
        ("/encode", "multipart/form-data; boundary=x"),
        ("/decode", "application/json"),
    ):
        for content in (large, chunked()):
            response = client.post(path, content=content, headers={"Content-Type": media})
            assert response.status_code == 413
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["limit"] == settings.max_body_bytes
            assert response.headers["X-Request-ID"]
    assert client.get("/decode").status_code == 200


def test_a_declared_length_past_the_limit_is_answered_before_anything_is_read():
    async def never(*args: object) -> None:
        raise AssertionError("must not be called")

    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/encode", "headers": [(b"content-length", b"1" * 30)]}
    asyncio.run(BodyLimit(never, 100)(scope, never, send))
    assert sent[0]["status"] == 413
