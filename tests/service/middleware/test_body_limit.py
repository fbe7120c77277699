from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from service.middleware.body_limit import BodyLimitMiddleware
from service.problems import Problem
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


async def never(*args: object) -> None:
    raise AssertionError("must not be called")


def answer_to(length: bytes, app: Any = never, receive: Any = never) -> int:
    """The status with which a request of that Content-Length is answered; the limit is 100."""
    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/encode", "headers": [(b"content-length", length)]}
    asyncio.run(BodyLimitMiddleware(app, 100)(scope, receive, send))
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize("length", [b"101", b"0" * 20 + b"101", b"0" * 5000 + b"101", b"1" * 30, b"1" * 5000])
def test_a_declared_length_past_the_limit_is_answered_before_anything_is_read(length: bytes):
    assert answer_to(length) == 413


@pytest.mark.parametrize("length", [b"100", b"0" * 20 + b"100", b"0" * 5000 + b"100"])
def test_bytes_are_counted_whatever_length_is_declared(length: bytes):
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with pytest.raises(Problem) as caught:
            await receive()
        await send({"type": "http.response.start", "status": caught.value.status_code})

    assert answer_to(length, app, receive) == 413
