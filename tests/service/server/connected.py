"""A connection without a socket: the protocol between a wire and an application."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.protocol import TimeoutProtocol
from tests.service.server.wire import Wire


class Connected:
    """A protocol on a wire, whose application answers nothing until it is let."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.answer = asyncio.Event()
        self.asked: list[Scope] = []
        config = uvicorn.Config(self._app, interface="asgi3", log_config=None)
        config.load()
        admission: Any = Mock(raw_response=Mock(return_value=b""))
        self.protocol = TimeoutProtocol(config, ServerState(), {}, admission, lambda: None)
        self.protocol.connection_made(self.wire)  # type: ignore[arg-type]

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope)
        await self.answer.wait()
        await Response(scope["path"])(scope, receive, send)

    async def send(self, data: bytes) -> None:
        """Send, and let the application run."""
        self.protocol.data_received(data)
        await self.settle()

    async def settle(self) -> None:
        """Let the application and the protocol do what they can."""
        for _ in range(50):
            await asyncio.sleep(0)
