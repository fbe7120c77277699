"""A client of HTTP/1.1 light enough to load a service that shares its processor."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

Address = tuple[str, int]
PATIENCE = 20


class Lost(Exception):
    """A connection that ended before the whole answer had come; ``port`` was the client's own."""

    def __init__(self, reason: str, port: int) -> None:
        super().__init__(reason)
        self.port = port


@dataclass(slots=True)
class Answer:
    """Head and body of an answer."""

    head: bytes
    body: bytes
    port: int
    """The client's own."""

    @property
    def status(self) -> int:
        """Its status code."""
        return int(self.head[9:12])

    def header(self, name: str) -> str:
        """A header by its name in lower case, empty where it is not."""
        return self.head.partition(b"\r\n%s: " % name.encode())[2].partition(b"\r\n")[0].decode()


class Connection(asyncio.Protocol):
    """A connection that is asked one request after the other."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self.port = 0

    @classmethod
    async def open(cls, address: Address) -> Connection:
        """A new connection; raises OSError if it is refused."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, *address)
        return connection

    @property
    def usable(self) -> bool:
        """Whether it can be asked again."""
        return not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self.transport = cast(asyncio.Transport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def data_received(self, data: bytes) -> None:
        """Some bytes of an answer have come."""
        self._data += data
        if self._answer is None or self._answer.done() or (end := end_of_answer(self._data)) is None:
            return
        head, body = bytes(self._data[: end[0]]), bytes(self._data[end[0] : end[1]])
        del self._data[: end[1]]
        if b"\r\nconnection: close" in head.lower():
            self.transport.close()
        self._answer.set_result(Answer(head, body, self.port))

    def connection_lost(self, error: Exception | None) -> None:
        """The server has closed it, or it broke."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(Lost(f"after {len(self._data)} bytes: {error or 'closed'}", self.port))

    async def ask(self, request: bytes) -> Answer:
        """The answer; raises Lost if it never comes whole."""
        if not self.usable:
            raise Lost("closed before", self.port)
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def leave(self, *, reset: bool = False) -> None:
        """Go away without waiting for the answer, with a reset or as one does."""
        if self._answer:
            self._answer.cancel()
        if reset:
            linger = b"\1\0\0\0\0\0\0\0"
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort() if reset else self.transport.close()


class Client:
    """Connections that are kept and asked again in turn, as many as are needed at once."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: deque[Connection] = deque()

    async def ask(self, request: bytes) -> Answer:
        """The answer; raises Lost, OSError, or TimeoutError if there is none after PATIENCE seconds."""
        async with asyncio.timeout(PATIENCE):
            connection = await self._take()
            answer = await connection.ask(request)
        if connection.usable:
            self._idle.append(connection)
        return answer

    async def prepare(self, connections: int) -> None:
        """Open connections until so many are idle."""
        self._idle = deque(connection for connection in self._idle if connection.usable)
        while len(self._idle) < connections:
            self._idle.append(await Connection.open(self._address))

    async def _take(self) -> Connection:
        while self._idle:
            if (connection := self._idle.popleft()).usable:
                return connection
        return await Connection.open(self._address)

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().transport.close()


KEY = "soak-soak-soak-soak"
"""Brought along always, and looked at only by services that have keys."""


def request(method: str, path: str, body: bytes | Any = None, **headers: str) -> bytes:
    """A request as bytes; a body that is not bytes goes as JSON. ``content_type`` stands for ``Content-Type``."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers = {"content_type": "application/json", **headers}
    fields = {
        "host": "localhost",
        "x_api_key": KEY,
        **({} if body is None else {"content_length": str(len(body))}),
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + (body or b"")


def end_of_answer(data: bytearray) -> tuple[int, int] | None:
    """Where the head and the body of the first answer in ``data`` end, if it is all there."""
    head = data.find(b"\r\n\r\n") + 4
    if head < 4:
        return None
    at = data.find(b"\r\ncontent-length:", 0, head) + 17
    length = int(data[at : data.find(b"\r\n", at)]) if at >= 17 else 0
    return (head, head + length) if len(data) >= head + length else None
