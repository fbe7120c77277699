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
        # As a number it could have too many digits for Python, and zeros before it count for nothing.
        declared = header(scope, b"content-length").lstrip(b"0")
        if declared.isdigit() and (len(declared) > len(str(self.limit)) or int(declared) > self.limit):
            await problem_response(self._too_large(), scope["path"])(scope, receive, send)
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
