from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.testclient import TestClient

from service.middleware.body_limit import BodyLimitMiddleware
from service.settings import Settings


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
    asyncio.run(BodyLimitMiddleware(never, 100)(scope, never, send))
    assert sent[0]["status"] == 413
