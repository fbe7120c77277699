"""HTTP/1.1 with limits for clients: uvicorn's protocol, which rejects requests before a task is made for them.

docs/dependencies.md lists the private parts of uvicorn that this module overrides.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.middleware.admission import AdmissionControl
from service.problems import Problem, let_go, over_limit, problem_response
from service.security.hosts import plain_address
from service.security.response_headers import DEFAULT_HEADERS, serialize
from service.server import closing
from service.server.closing import ClosingTransport
from service.server.flow_control import RequestFlowControl
from service.server.framing import RequestFramer
from service.server.response_transport import CONTINUE, ResponseTransport

log = logging.getLogger("spritevae.server")
HEAD_SECONDS = 10  # for a client to send a request's head
BODY_SECONDS = 60  # for a client to send a request's body
# In every so many seconds a body must bring so many bytes, unless it ends.
BODY_STEP_SECONDS = 10
BODY_STEP_BYTES = 2**16
# How long a half-closed connection is left alone: most requests are answered by then. After how long a reset is there
# from a client that is near; later ones are seen within a second.
ANSWER_SECONDS, RESET_SECONDS = 0.01, 0.02
# Bytes that may wait behind a request that is not answered yet.
MAX_WAITING_BYTES = 2**16
# Calls of the parser, and by it of on_body, before other clients have their turn: they take about a millisecond.
MAX_CALLS = 500
# A rejection takes as long as so many calls.
REJECTION_CALLS = 20


class TimeoutProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a deadline for whatever the client must do next: send a head, send a body, take a response.

    A request is parsed once the one before is answered, so uvicorn's ``pipeline`` stays empty. ``admission`` decides
    which requests are rejected. ``on_close`` is called when the connection has ended.
    """

    transport: ClosingTransport  # type: ignore[assignment]
    flow: RequestFlowControl
    _receive_deadline = _write_deadline = _next_request_deadline = _body_deadline = math.inf
    # Bytes of a body that are due until _receive_deadline.
    _due_bytes = 0
    # Whether a complete request is not answered yet.
    _answering = False
    _parsing = False
    _calls = 0
    # Whether the client of a request that is being answered sends nothing more.
    _half_closed = False
    # Why what was sent is not answered, though the parser itself accepts it.
    _problem: Problem | None = None

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
        self._framer = RequestFramer()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client must send a head now."""
        # uvicorn uses only those methods of its transport that ClosingTransport has.
        super().connection_made(ClosingTransport(transport))  # type: ignore[arg-type]
        self.flow = RequestFlowControl(transport)
        if self.client and self.server:
            self.client = plain_address(self.client[0]), self.client[1]
            self.server = plain_address(self.server[0]), self.server[1]
        self._receive_deadline = monotonic() + HEAD_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended. What refers to it is forgotten, as the garbage collector would seldom find it."""
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]
        self._answering = self._half_closed = False
        self._framer.drop()
        self._on_close()

    def data_received(self, data: bytes) -> None:
        """Take data of the client."""
        if self.transport.is_closing():
            self.transport.discard(data)
        else:
            self._framer.add(data)
            self._parse()

    def _parse(self) -> None:
        """Parse what has come, up to the end of a request that is not answered yet."""
        self._parsing, self._calls = True, 0
        while self._calls < MAX_CALLS and not (self._answering or self.transport.is_closing()):
            try:
                piece = self._framer.next_piece()
            except Problem as problem:
                self._refuse(problem)
                break
            if not piece:
                break
            self._calls += 1
            super().data_received(piece)
        self._parsing = False
        if not self.transport.is_closing():
            self._wait(unfinished=self._calls >= MAX_CALLS)

    def _wait(self, *, unfinished: bool) -> None:
        """Read on, or first answer or parse what has come."""
        waiting = self._framer.waiting
        if not (waiting and (self._answering or unfinished)):
            self.flow.release()
            if waiting and self._receive_deadline == math.inf:
                self._receive_deadline, self._next_request_deadline = monotonic() + HEAD_SECONDS, math.inf
            return
        self.flow.hold()
        if not self._answering:
            self.loop.call_soon(self._parse)
        elif waiting > MAX_WAITING_BYTES:
            self._framer.drop()
            message = f"{MAX_WAITING_BYTES} bytes may wait behind a request that is not answered"
            self._problem = over_limit(429, message, 1, MAX_WAITING_BYTES)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends nothing more: it has hung up, or only waits for the answer (a half-closed connection)."""
        self.transport.client_sends = False
        self._half_closed = self._answering and not self.transport.is_closing()
        if self._half_closed:
            self.cycle.keep_alive = False
            self.loop.call_later(ANSWER_SECONDS, self._write_to_half_closed)
        else:
            self.transport.close()
        return self._half_closed

    def _write_to_half_closed(self) -> None:
        """Write what a waiting client passes over, and what the system of one that has hung up answers with a reset."""
        if self._answering and not self.cycle.response_started and self.cycle.scope["http_version"] == "1.1":
            self.transport.write(CONTINUE)
            self.loop.call_later(RESET_SECONDS, self._end_if_reset)

    def _end_if_reset(self) -> None:
        if self._answering and self._half_closed and self.transport.was_reset():
            self.transport.reset()

    def send_400_response(self, msg: str) -> None:
        """Answer with a problem, like every error."""
        self._refuse(self._problem or Problem(400, "not a valid HTTP request"))

    def on_headers_complete(self) -> None:
        """The head is complete: the client must send the body."""
        try:
            if self.parser.should_upgrade():
                raise Problem(400, "CONNECT: this is no proxy")
            has_body = self._framer.expect_body(self.headers, self.parser.get_http_version())
        except Problem as problem:
            self._problem = problem
            raise
        self._next_request_deadline = self._receive_deadline = math.inf
        if has_body:
            self._body_deadline = monotonic() + BODY_SECONDS
            self._expect_more_body()
        self.transport.client_sends = has_body
        super().on_headers_complete()
        self.headers = []  # for trailers, which are no headers
        if not self.cycle.response_complete:
            # A response to HEAD has no body to send the head with.
            together = self.scope["method"] != "HEAD"
            self._response = ResponseTransport(self.transport, has_body=together, body_is_due=has_body)
            # A response cycle uses only those methods of its transport that ResponseTransport has.
            self.cycle.transport = self._response  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start to answer a request. A rejection is written at once, as a task takes longer than all of that."""
        response = b""
        # A task can wait for what has not come: the rest of the body, or room to write.
        if (
            cycle.keep_alive
            and cycle.scope["method"] != "HEAD"
            and self._framer.body_is_here
            and not self.flow.write_paused
        ):
            # uvicorn's type of a scope is the same mapping under another name.
            scope: Scope = cycle.scope  # type: ignore[assignment]
            response = self._admission.raw_response(scope, tuple(cycle.default_headers))
        if response:
            cycle.response_started = cycle.response_complete = True
            self._calls += REJECTION_CALLS
            self.transport.write(response)
            self.on_response_complete()
        else:
            super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Some of the body has come."""
        self._calls += 1
        self._framer.count_body(len(body))
        self._due_bytes -= len(body)
        if self._due_bytes <= 0:
            self._expect_more_body()
        super().on_body(body)

    def _expect_more_body(self) -> None:
        self._due_bytes = BODY_STEP_BYTES
        self._receive_deadline = min(monotonic() + BODY_STEP_SECONDS, self._body_deadline)

    def on_message_complete(self) -> None:
        """The request is complete. What follows waits until it is answered."""
        super().on_message_complete()
        self._framer.end_request()
        self._receive_deadline = math.inf
        self.transport.client_sends = False
        self._answering = not self.cycle.response_complete
        if self._answering:
            self._response.body_is_due = False

    def pause_writing(self) -> None:
        """The client does not take the response fast enough."""
        super().pause_writing()
        self._write_deadline = monotonic() + closing.WRITE_SECONDS

    def resume_writing(self) -> None:
        """The client takes the response again."""
        super().resume_writing()
        self._write_deadline = math.inf

    def on_response_complete(self) -> None:
        """The next request may come. As uvicorn's method, but without a timer for each request."""
        self.server_state.total_requests += 1
        self._answering = False
        if self.transport.is_closing():
            return
        self.flow.resume_reading()  # of a body that was never taken
        self._next_request_deadline = monotonic() + self.timeout_keep_alive
        if self._problem:
            self._refuse(self._problem)
        elif self.transport.client_sends and not self._framer.body_is_here:
            self.transport.close()
        elif self.flow.held and not self._parsing:
            self.loop.call_soon(self._parse)

    def _refuse(self, problem: Problem) -> None:
        """Answer bytes that are no request, and close."""
        let_go(problem)
        self.transport.client_sends = True
        cycle = self.cycle
        if cycle and not cycle.response_complete:  # its body is wrong, and its application must not answer any more
            cycle.disconnected = True
            cycle.message_event.set()
        if not cycle or cycle.response_complete or not cycle.response_started:
            response = problem_response(problem)
            response.headers["Connection"] = "close"
            headers = (*self.server_state.default_headers, *response.raw_headers, *DEFAULT_HEADERS)
            head = STATUS_LINE[problem.status_code] + serialize(headers)
            self.transport.write(head + b"\r\n" + bytes(response.body))
        self.transport.close()

    def close_if_timed_out(self, now: float) -> None:
        """End the connection if a deadline has passed: gracefully if the client only sent no further request."""
        if self.transport.is_closing():
            deadline = self.transport.deadline
        elif now > self._next_request_deadline:
            self.transport.close()
            return
        else:
            deadline = min(self._receive_deadline, self._write_deadline)
            self._end_if_reset()
        if now > deadline:
            log.info("a client that stalled is cut off")
            self.transport.reset()
