"""HTTP/1.1 with time limits for clients: uvicorn's protocol, which rejects requests before a task is made for them.

docs/dependencies.md lists the private parts of uvicorn that this module overrides.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import struct
from collections.abc import Callable
from time import monotonic
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.middleware.admission import AdmissionControl
from service.problems import Problem, problem_response
from service.security.hosts import plain_address
from service.security.response_headers import DEFAULT_HEADERS, serialize

log = logging.getLogger("spritevae.server")
HEAD_SECONDS = 10  # for a client to send a request's head
BODY_SECONDS = 60  # for a client to send a request's body
WRITE_SECONDS = 30  # for a client to take the response
MAX_HEAD_BYTES = 2**16
# Lines of a head, and of the trailers of a chunked body.
MAX_HEADERS = 256
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Closing a socket with this option resets the connection.
RESET = struct.pack("ii", 1, 0)


class CoalescingTransport:
    """A transport that sends a response's head together with the beginning of its body: one system call less.

    It is for one response that has a body. uvicorn writes the head first, and then always writes more or closes.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Keep the head, and send it with the data that follow."""
        if self._head is None and data != CONTINUE:
            self._head = data
        elif self._head:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send the head if it is still kept, and close."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()


class TimeoutProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a deadline for whatever the client must do next: send a head, send a body, take a response.

    ``admission`` decides which requests are rejected. ``on_close`` is called when the connection has ended.
    """

    _receive_deadline = _write_deadline = _next_request_deadline = math.inf
    # Bytes of a head that is not complete yet; None while none is expected.
    _head_bytes: int | None = 0

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        admission: AdmissionControl,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._admission = admission
        self._on_close = on_close

    def data_received(self, data: bytes) -> None:
        """Take data of the client, up to the limits of a head."""
        super().data_received(data)
        if self.headers and len(self.headers) > MAX_HEADERS and not self.transport.is_closing():
            self._refuse(Problem(431, f"a request may have {MAX_HEADERS} headers and trailers", limit=MAX_HEADERS))
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._refuse(Problem(431, f"a request's head may have {MAX_HEAD_BYTES} bytes", limit=MAX_HEAD_BYTES))

    def send_400_response(self, msg: str) -> None:
        """Answer with a problem, like every error."""
        self._refuse(Problem(400, "not a valid HTTP request"))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client must send a head now."""
        super().connection_made(transport)
        if self.client and self.server:
            self.client = plain_address(self.client[0]), self.client[1]
            self.server = plain_address(self.server[0]), self.server[1]
        self._receive_deadline = monotonic() + HEAD_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        self._on_close()

    def on_message_begin(self) -> None:
        """A request begins: the client must complete its head."""
        super().on_message_begin()
        self._head_bytes = 0
        self._receive_deadline, self._next_request_deadline = monotonic() + HEAD_SECONDS, math.inf

    def on_headers_complete(self) -> None:
        """The head is complete: the client must send the body."""
        super().on_headers_complete()
        self._head_bytes = None
        self._receive_deadline = monotonic() + BODY_SECONDS
        if self.scope["method"] != "HEAD":  # a response to HEAD has no body to send the head with
            # A response cycle uses only those methods of its transport that CoalescingTransport has.
            self.cycle.transport = CoalescingTransport(self.transport)  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start to answer a request. A rejection is written at once, as a task takes longer than all of that."""
        response = b""
        # Pipelined requests get a task: each rejection would be written inside the call that wrote the one before.
        if cycle.keep_alive and cycle.scope["method"] != "HEAD" and not (self.flow.write_paused or self.pipeline):
            # uvicorn's type of a scope is the same mapping under another name.
            scope: Scope = cycle.scope  # type: ignore[assignment]
            response = self._admission.raw_response(scope, tuple(cycle.default_headers))
        if response:
            cycle.response_started = cycle.response_complete = True
            self.transport.write(response)
            self.on_response_complete()
        else:
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """The request is complete. If it is answered already, the client may send the next one."""
        super().on_message_complete()
        self._receive_deadline = math.inf
        answered = self.cycle.response_complete
        self._next_request_deadline = monotonic() + self.timeout_keep_alive if answered else math.inf

    def pause_writing(self) -> None:
        """The client does not take the response fast enough."""
        super().pause_writing()
        self._write_deadline = monotonic() + WRITE_SECONDS

    def resume_writing(self) -> None:
        """The client takes the response again."""
        super().resume_writing()
        self._write_deadline = math.inf

    def on_response_complete(self) -> None:
        """The next request may come. As uvicorn's method, but without a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._next_request_deadline = monotonic() + self.timeout_keep_alive

    def _refuse(self, problem: Problem) -> None:
        """Answer bytes that never become a request, and close."""
        response = problem_response(problem)
        response.headers["Connection"] = "close"
        headers = (*self.server_state.default_headers, *response.raw_headers, *DEFAULT_HEADERS)
        self.transport.write(STATUS_LINE[problem.status_code] + serialize(headers) + b"\r\n" + bytes(response.body))
        self.transport.close()

    def close_if_timed_out(self, now: float) -> None:
        """End the connection if a deadline has passed: gracefully if the client only sent no further request."""
        if now > self._next_request_deadline and self._receive_deadline == math.inf:
            self._next_request_deadline = math.inf
            self._write_deadline = now + WRITE_SECONDS  # for what the client has not taken yet
            self.transport.close()
        elif now > min(self._receive_deadline, self._write_deadline):
            log.info("a client that stalled is cut off")
            # Reset the connection, or the kernel would go on keeping data for the client.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
