"""No model at all: uvicorn answers every request with the same 4 KB. What HTTP alone leaves room for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

BODY = bytes(4096)
HEADERS = [(b"content-type", b"image/png"), (b"content-length", str(len(BODY)).encode())]


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """https://asgi.readthedocs.io/en/latest/specs/www.html"""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
