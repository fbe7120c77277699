"""uvicorn, made patient when it ends and impatient with clients that stall."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import signal
import socket
import struct
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.middleware.admission import Door
from service.problems import Problem, problem_response
from service.security.response_headers import HEADERS, lines
from service.server import stop_signals
from service.server.connection_counts import Shares
from service.settings import Settings

log = logging.getLogger("spritevae.server")
GRACE_SECONDS = 10
"""How long a request in flight may take once the service ends."""
HEAD_SECONDS, BODY_SECONDS, WRITE_SECONDS, KEEP_ALIVE_SECONDS = 10, 60, 30, 5
"""How long a client may take to send a request's head, to send its body, to take what it is sent, and to ask again."""
COLLECT_AFTER, COLLECT_TICKS = 100_000, 100
"""Objects made beyond those that are gone, and tenths of a second, after which the newest are looked through for
garbage. With Python's own 700, and with 20,000, those of thousands of busy connections are, over and over; without the
time, what little there is (of GIFs, and of numpy's headers) piles up."""
POLITENESS, LEFT, MOST_AT_ONCE = 0.002, 6, 256
"""Seconds that a worker with more connections gives those with fewer, how many of those that they leave it takes then,
and how many at most before it does other things."""
LARGEST_HEAD, MOST_HEADERS = 2**16, 256
"""Bytes of a request's head, and lines of it and of the trailers of a chunked body."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


class Server(uvicorn.Server):
    """Serves an app of ``create_app``.

    On SIGTERM the service is not ready any more, serves on for the drain delay, then finishes what is in flight; SIGINT
    spares the delay, and a second signal all waiting: ``force_exit`` tells.
    """

    def __init__(self, app: FastAPI, settings: Settings, shares: Shares | None = None, place: int = 0) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=StallProtocol,
                loop="uvloop",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._app = app
        self._drain_seconds = settings.drain_seconds
        self._end: float | None = None
        self._shares = shares
        self._place = place
        self._listening: list[socket.socket] = []
        self._spared = False
        self._accepted: set[asyncio.Task[None]] = set()
        self._arriving = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, unless a signal came before there was a server to hear it."""
        for number in stop_signals.held():
            self.handle_exit(number, None)
        await super().startup([])
        self._listening = sockets or []
        self._tell()
        for listening in self._listening:
            listening.setblocking(False)
            self._listen(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, and finish what is in flight."""
        for listening in self._listening:
            asyncio.get_running_loop().remove_reader(listening)
        self._listening = []
        await super().shutdown(sockets)

    def _listen(self, listening: socket.socket, anyway: int = 0) -> None:
        """Accept connections from now on, and so many ``anyway``."""
        if listening in self._listening:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)
            self._accept(listening, anyway)

    def _accept(self, listening: socket.socket, anyway: int = 0) -> None:
        """Accept connections; event loops would take all there are, and leave other workers none.

        One who has more than another lets it go first. What it leaves is taken, a few at a time: it may be busy.
        """
        loop = asyncio.get_running_loop()
        for number in range(MOST_AT_ONCE):
            if number >= anyway and self._shares and self._shares.ahead(self._place):
                loop.remove_reader(listening)
                loop.call_later(POLITENESS, self._listen, listening, LEFT)
                return
            try:
                connection, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client left
                return
            except OSError as error:  # no file descriptor is left
                log.error("can't accept connections: %s", error.strerror)
                loop.remove_reader(listening)
                loop.call_later(1, self._listen, listening)
                return
            connection.setblocking(False)
            self._arriving += 1
            self._tell()  # now: the next one may be accepted before this one is a connection
            task = loop.create_task(self._serve_connection(connection))
            self._accepted.add(task)
            task.add_done_callback(self._accepted.discard)

    async def _serve_connection(self, connection: socket.socket) -> None:
        def protocol() -> asyncio.Protocol:
            door: Door = self._app.state.door
            return StallProtocol(self.config, self.server_state, self.lifespan.state, door, self._tell)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:  # the client has left already
            connection.close()
        finally:
            self._arriving -= 1
            self._tell()

    def _tell(self) -> None:
        if self._shares:
            self._shares.tell(self._place, len(self.server_state.connections) + self._arriving)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, or end at once if that has begun already."""
        if self._end is not None:
            self.should_exit = self.force_exit = True
            return
        self._app.state.draining = True
        self._end = monotonic() + (self._drain_seconds if sig == signal.SIGTERM else 0)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        now = monotonic()
        self._tell()
        if not self._spared and self._app.state.store.loaded:
            self._spared = True
            _spare_collector()
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, StallProtocol):
                    connection.cut_off_if_stalled(now)
        if counter % COLLECT_TICKS == 0:
            gc.collect(0)
        if self._end is not None and now >= self._end:
            self.should_exit = True
        return await super().on_tick(counter)


def _spare_collector() -> None:
    """Have Python look for cycles rarely, and never among what was made at the start: it took 4 % of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


class Joined:
    """A transport that sends an answer's head along with the beginning of its body: one packet and system call less.

    For one answer of those that have a body. What uvicorn writes first is the head, and it always writes more, or
    closes.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Keep the head, and send what follows with it."""
        if self._head is None and data != CONTINUE:
            self._head = data
        elif self._head:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is kept, and close."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()


class StallProtocol(HttpToolsProtocol):
    """HTTP/1.1 that knows by when its client must have sent what is due, and taken what it is sent.

    ``door`` says which requests are refused, ``on_end`` is called when the connection has ended.
    """

    _send_by = _take_by = _ask_by = math.inf
    _head: int | None = 0
    """Bytes of a head that is not complete yet; None while it is."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        door: Door,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._door = door
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, unless its head has no end."""
        super().data_received(data)
        if self.headers and len(self.headers) > MOST_HEADERS and not self.transport.is_closing():
            self._refuse(Problem(431, f"a request may have {MOST_HEADERS} headers and trailers", limit=MOST_HEADERS))
        if self._head is not None:
            self._head += len(data)
            if self._head > LARGEST_HEAD and not self.transport.is_closing():
                self._refuse(Problem(431, f"a request's head may have {LARGEST_HEAD} bytes", limit=LARGEST_HEAD))

    def send_400_response(self, msg: str) -> None:
        """As a problem, like every error."""
        self._refuse(Problem(400, "not a valid HTTP request"))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come: its first request is due."""
        super().connection_made(transport)
        self._send_by = monotonic() + HEAD_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        self._on_end()

    def on_message_begin(self) -> None:
        """A request has begun: its head is due."""
        super().on_message_begin()
        self._head = 0
        self._send_by, self._ask_by = monotonic() + HEAD_SECONDS, math.inf

    def on_headers_complete(self) -> None:
        """Its body is due."""
        super().on_headers_complete()
        self._head = None
        self._send_by = monotonic() + BODY_SECONDS
        if self.scope["method"] != "HEAD":  # whose answer has no body
            self.cycle.transport = Joined(self.transport)  # type: ignore[assignment]  # all that a cycle asks for

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start to answer a request. One that is refused is answered at once: a task takes longer than all of that."""
        answer = b""
        # Not one of several that wait here: each would be answered inside of the one before.
        if cycle.keep_alive and cycle.scope["method"] != "HEAD" and not (self.flow.write_paused or self.pipeline):
            answer = self._door.answer(cycle.scope, cycle.default_headers)  # type: ignore[arg-type]
        if answer:
            cycle.response_started = cycle.response_complete = True
            self.transport.write(answer)
            self.on_response_complete()
        else:
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """It is complete, and nothing is due; the next one is, if it is answered already."""
        super().on_message_complete()
        self._send_by = math.inf
        self._ask_by = monotonic() + KEEP_ALIVE_SECONDS if self.cycle.response_complete else math.inf

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        self._take_by = monotonic() + WRITE_SECONDS

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._take_by = math.inf

    def on_response_complete(self) -> None:
        """A request is answered, and the next one is due; as uvicorn has it, but for a timer for each."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._ask_by = monotonic() + KEEP_ALIVE_SECONDS

    def _refuse(self, problem: Problem) -> None:
        """Answer what never becomes a request, and close."""
        response = problem_response(problem)
        response.headers["Connection"] = "close"
        told = (*self.server_state.default_headers, *response.raw_headers, *HEADERS)
        self.transport.write(STATUS_LINE[problem.status_code] + lines(told) + b"\r\n" + bytes(response.body))
        self.transport.close()

    def cut_off_if_stalled(self, now: float) -> None:
        """End the connection if what is due is overdue: in peace if it is a further request, for which it was kept."""
        if now > self._ask_by and self._send_by == math.inf:
            self._ask_by, self._take_by = math.inf, now + WRITE_SECONDS  # of what is not taken yet
            self.transport.close()
        elif now > min(self._send_by, self._take_by):
            log.info("a client that stalled is cut off")
            # With a reset: what the kernel holds for it would otherwise wait for it still.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
