"""The headers, deadline, metrics and log line of every request."""

from __future__ import annotations

import logging
from time import perf_counter
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.context import RequestContext, current_request
from service.middleware.admission import AdmissionControl
from service.observability.metrics import request_seconds
from service.problems import Problem, internal_error, problem_response
from service.security.response_headers import headers_for
from service.web.scope import header, method_label

access = logging.getLogger("spritevae.access")
MAX_TIMEOUT_MS = 600_000


class RequestContextMiddleware:
    """Completes a request's ``RequestContext``, adds the headers that all responses have, and measures and logs it."""

    def __init__(self, app: ASGIApp, admission: AdmissionControl) -> None:
        self.app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = current_request.get()
        started, status, method, always = False, 500, method_label(scope), headers_for(scope["path"])
        shown_method = scope["method"]
        if shown_method == "HEAD":  # is answered as GET; the server leaves the body out
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                message["headers"] = [*message.get("headers", ()), *request.headers(), *always]
                if self._admission.draining:  # the client's next connection finds another instance
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            if problem := _set_deadline(scope, request):
                await problem_response(problem, scope["path"])(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception:
            if not started:
                await problem_response(internal_error(), scope["path"])(scope, receive, send_with_headers)
            raise
        finally:
            if route := scope.get("route"):
                request.route = route.path
            seconds = perf_counter() - request.start
            request_seconds(method, request.route, str(status)).observe(seconds)
            if access.isEnabledFor(logging.INFO):
                _log(scope, shown_method, status, seconds)


def _set_deadline(scope: Scope, request: RequestContext) -> Problem | None:
    if sent := header(scope, b"x-request-timeout-ms"):
        try:
            request.deadline = request.start + timeout_seconds(sent)
        except Problem as problem:
            return problem
    return None


def _log(scope: Scope, method: str, status: int, seconds: float) -> None:
    """Log a request that is answered, without its query and its body."""
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


def timeout_seconds(sent: bytes) -> float:
    """Seconds of an X-Request-Timeout-Ms; raises Problem 400."""
    if not (sent.isdigit() and 0 < len(sent) <= 9 and 1 <= int(sent) <= MAX_TIMEOUT_MS):
        got, accepted = sent.decode("latin-1")[:40], f"a whole number from 1 to {MAX_TIMEOUT_MS}"
        name = "X-Request-Timeout-Ms"
        raise Problem(400, f"{name}: got {got!r}; accepts {accepted}", where=name, got=got, accepted=accepted)
    return int(sent) / 1000
