"""Clients that send nothing more: those that wait for their answer, and those that have hung up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
import uvloop
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.protocol import ANSWER_SECONDS, RESET_SECONDS, TimeoutProtocol
from service.server.response_transport import CONTINUE

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
each_loop = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])


class Slow:
    """An application that answers once it is let, and sees whether its client has left."""

    def __init__(self) -> None:
        self.asked, self.may_answer, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        leaving = asyncio.create_task(self._see_leave(receive))
        await self.may_answer.wait()
        leaving.cancel()
        await Response("done")(scope, receive, send)

    async def _see_leave(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


@asynccontextmanager
async def asked(application: Slow, version: bytes = b"1.1") -> AsyncIterator[Streams]:
    """A client whose request the application has."""
    config = uvicorn.Config(application, interface="asgi3", log_config=None)
    config.load()
    admission: Any = Mock(raw_response=Mock(return_value=b""))
    listening = await asyncio.get_running_loop().create_server(
        lambda: TimeoutProtocol(config, ServerState(), {}, admission, lambda: None), "127.0.0.1"
    )
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(b"GET / HTTP/%s\r\nHost: localhost\r\n\r\n" % version)
        await application.asked.wait()
        yield reader, writer
        writer.close()
        application.may_answer.set()
    listening.close()


@each_loop
def test_a_client_that_sends_nothing_more_gets_its_answer(run: Callable[[Any], None]):
    async def main() -> None:
        application = Slow()
        async with asked(application) as (reader, writer):
            writer.write_eof()
            assert await reader.readexactly(len(CONTINUE)) == CONTINUE
            await asyncio.sleep(2 * RESET_SECONDS)
            application.may_answer.set()
            assert re.findall(rb"HTTP/1.1 (\d+)", await reader.read()) == [b"200"]

    run(main())


@each_loop
def test_so_does_one_of_http_1_0_which_knows_no_interim_answers(run: Callable[[Any], None]):
    async def main() -> None:
        application = Slow()
        async with asked(application, b"1.0") as (reader, writer):
            writer.write_eof()
            await asyncio.sleep(2 * ANSWER_SECONDS)
            application.may_answer.set()
            assert re.findall(rb"HTTP/1.1 (\d+)", await reader.read()) == [b"200"]

    run(main())


@each_loop
def test_a_request_whose_client_has_hung_up_is_given_up(run: Callable[[Any], None]):
    async def main() -> None:
        application = Slow()
        async with asked(application) as (_, writer):
            writer.close()
            await application.left.wait()

    run(main())
