"""The limit of a request's body."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import Problem, problem_response
from service.web.scope import header


class BodyLimitMiddleware:
    """Answers 413 to a body of more than ``limit`` bytes: declared so, or found so while it is read.

    Starlette's own limit answers in plain text; this one is a problem like every error.
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
            else:  # the server refuses a body that is longer than declared
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
