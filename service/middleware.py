"""Pure ASGI middleware: what every request gets (an id, timing, a log line) and the limit of its body."""

from __future__ import annotations

import logging
import re
from time import perf_counter
from urllib.parse import quote
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Problem, problem_response
from service.timing import timings

access = logging.getLogger("spritevae.access")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestContext:
    """Gives each request an id (the client's own X-Request-ID if it is sane), and its answer the common headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        phases: dict[str, float] = {}
        timings.set(phases)
        start = perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                spent = phases | {"total": perf_counter() - start}
                headers["Server-Timing"] = ", ".join(f"{name};dur={1000 * s:.2f}" for name, s in spent.items())
                if model := state.get("model"):
                    headers["X-Model-Digest"] = model.digest
                    headers["X-Execution-Provider"] = model.provider
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            client = (scope.get("client") or ("-",))[0]
            milliseconds = 1000 * (perf_counter() - start)
            path = quote(scope["path"])
            access.info("%s %s %s %d %.1f ms %s", client, scope["method"], path, status, milliseconds, request_id)


class BodyLimit:
    """Answers 413 to a body that says it is larger than ``limit`` bytes, or turns out to be while it is read.

    Starlette's own limit answers in plain text; ours is a problem like every error.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # The rest of such a body is never read, so the connection can't be used again.
        too_large = Problem(
            413, f"a body may have {self.limit} bytes", headers={"Connection": "close"}, limit=self.limit
        )
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self.limit:
            await problem_response(too_large, scope["path"])(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise too_large
            return message

        await self.app(scope, receive_within_limit, send)
