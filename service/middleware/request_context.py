"""Pure ASGI middleware: what every request gets (an id, timing, a log line) and the limit of its body."""

from __future__ import annotations

import logging
from time import perf_counter
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.context import Call, current, request_id
from service.observability.metrics import request_seconds
from service.problems import METHODS, Problem, bug, problem_response
from service.security.response_headers import HEADERS, HEADERS_BY_PATH

access = logging.getLogger("spritevae.access")
PROBES = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
"""Open to all, by any host and however much there is to do: who probes knows an address and no key, and is told nothing
but yes or no."""
LONGEST_TIMEOUT_MS = 600_000


class RequestContext:
    """Gives each request its ``Call``, and its answer the headers that all answers bear; measures and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = Call(request_id(header(scope, b"x-request-id")), receive, scope.get("ticket"))
        current.set(call)
        started, status, method, told = False, 500, scope["method"], HEADERS_BY_PATH.get(scope["path"], HEADERS)
        if method == "HEAD":  # is answered as GET; the server leaves the body out
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                message["headers"] = [*message.get("headers", ()), *call.headers(), *told]
                if scope["app"].state.draining:  # a client that comes back finds another instance
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            if problem := _set_deadline(scope, call):
                await problem_response(problem, scope["path"])(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception:
            if not started:
                await problem_response(bug(), scope["path"])(scope, receive, send_with_headers)
            raise
        finally:
            if found := scope.get("route"):
                call.route = found.path
            _observe(scope, method, call.route, status, perf_counter() - call.start)


def _set_deadline(scope: Scope, call: Call) -> Problem | None:
    if given := header(scope, b"x-request-timeout-ms"):
        try:
            call.deadline = call.start + timeout(given)
        except Problem as problem:
            return problem
    return None


def _observe(scope: Scope, method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that is answered, and log it."""
    request_seconds(method if method in METHODS else "other", route, str(status)).observe(seconds)
    if access.isEnabledFor(logging.INFO):
        access.info(
            "request",
            extra={
                "client": (scope.get("client") or ("-",))[0],
                "method": method,
                "path": quote(scope["path"]),
                "status": status,
                "milliseconds": round(1000 * seconds, 1),
            },
        )


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
        if (declared := header(scope, b"content-length")).isdigit():
            if int(declared[:20]) > self.limit:
                await problem_response(self._too_large(), scope["path"])(scope, receive, send)
            else:  # nor will it be larger, as the server sees to it
                await self.app(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise self._too_large()
            return message

        await self.app(scope, receive_within_limit, send)

    def _too_large(self) -> Problem:
        # The rest of such a body is never read, so the connection can't be used again.
        close = {"Connection": "close"}
        return Problem(413, f"a body may have {self.limit} bytes", headers=close, limit=self.limit)


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of that name, empty if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


def timeout(given: bytes) -> float:
    """Seconds of an X-Request-Timeout-Ms; raises Problem 400."""
    if not (given.isdigit() and 0 < len(given) <= 9 and 1 <= int(given) <= LONGEST_TIMEOUT_MS):
        got, accepted = given.decode("latin-1")[:40], f"a whole number from 1 to {LONGEST_TIMEOUT_MS}"
        name = "X-Request-Timeout-Ms"
        raise Problem(400, f"{name}: got {got!r}; accepts {accepted}", where=name, got=got, accepted=accepted)
    return int(given) / 1000
