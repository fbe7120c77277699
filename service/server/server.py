"""The server: uvicorn with draining, balanced connections and a garbage collector that rarely runs."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType

import uvicorn

from service.server import stop_signals
from service.server.connection_counts import ConnectionCounts
from service.server.protocol import TimeoutProtocol
from service.settings import Settings
from service.state import StatefulApp

log = logging.getLogger("spritevae.server")
# How long requests in flight may take once the service ends.
GRACE_SECONDS = 10
# How long a process that has to end by now may take for it, before it is ended whatever its threads do.
LEAVE_SECONDS = 2
# Objects that are made, beyond those that are freed, before the garbage collector runs. With Python's 700, and with
# 20,000, it looks through the objects of thousands of busy connections over and over.
GC_THRESHOLD = 100_000
# Ticks, tenths of a second, between collections of young objects. Without them, little garbage (of GIFs, and of numpy's
# headers) would pile up until the threshold is reached.
GC_TICKS = 100
# How long a worker that has more connections than others leaves new ones to them.
ACCEPT_YIELD_SECONDS = 0.002
# How many of the connections that the others left it accepts then. They may be busy.
ACCEPTS_AFTER_YIELD = 6
# How many connections a worker accepts before it does other work.
MAX_ACCEPTS = 256


class Server(uvicorn.Server):
    """Serves an app of ``create_app``.

    On SIGTERM the service stops being ready, serves on for the drain delay, then finishes the requests in flight.
    SIGINT skips the delay. A second signal ends it at once; ``force_exit`` tells so. Once it ends, ``end_after`` is
    called with the seconds after which the process must have ended.
    """

    def __init__(
        self,
        app: StatefulApp,
        settings: Settings,
        counts: ConnectionCounts | None = None,
        worker_index: int = 0,
        end_after: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=TimeoutProtocol,
                loop="uvloop",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.forwarded_allow_ips),
                # uvicorn knows * only alone.
                forwarded_allow_ips=["*"] if "*" in settings.forwarded_allow_ips else [*settings.forwarded_allow_ips],
                timeout_keep_alive=settings.keep_alive_seconds,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._service = app.service
        self._drain_seconds = settings.drain_seconds
        self._end: float | None = None
        self._end_after = end_after
        self._counts = counts
        self._worker_index = worker_index
        self._listening: list[socket.socket] = []
        self._gc_tuned = False
        self._accepting: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections; first handle the signals that came before there was a server."""
        for number in stop_signals.deferred():
            self.handle_exit(number, None)
        await super().startup([])
        self._listening = sockets or []
        self._update_count()
        for listening in self._listening:
            listening.setblocking(False)
            self._listen(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and finish the requests in flight."""
        self._end_after(GRACE_SECONDS + LEAVE_SECONDS)
        for listening in self._listening:
            asyncio.get_running_loop().remove_reader(listening)
        self._listening = []
        await super().shutdown(sockets)

    def _listen(self, listening: socket.socket, at_least: int = 0) -> None:
        """Accept connections from now on, ``at_least`` that many even if other workers have fewer."""
        if listening in self._listening:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)
            self._accept(listening, at_least)

    def _accept(self, listening: socket.socket, at_least: int = 0) -> None:
        """Accept the connections that wait, but leave them to workers with fewer connections for a moment.

        The event loop's own way would take all there are, and leave other workers none. With a socket for each worker
        (SO_REUSEPORT) the kernel shares connections by chance: with two of them, .78 of the requests are answered.
        """
        loop = asyncio.get_running_loop()
        for number in range(MAX_ACCEPTS):
            if number >= at_least and self._counts and self._counts.has_more_than_others(self._worker_index):
                loop.remove_reader(listening)
                loop.call_later(ACCEPT_YIELD_SECONDS, self._listen, listening, ACCEPTS_AFTER_YIELD)
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
            task = loop.create_task(self._serve_connection(connection))
            self._accepting.add(task)
            task.add_done_callback(self._accepted)
            self._update_count()  # now, as the next one may be accepted before this one is a connection

    async def _serve_connection(self, connection: socket.socket) -> None:
        def protocol() -> asyncio.Protocol:
            admission = self._service.admission
            return TimeoutProtocol(self.config, self.server_state, self.lifespan.state, admission, self._update_count)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:  # the client has left already
            connection.close()

    def _accepted(self, task: asyncio.Task[None]) -> None:
        self._accepting.discard(task)
        self._update_count()

    def _update_count(self) -> None:
        """Tell the other workers how many connections this one has."""
        if self._counts:
            self._counts.set(self._worker_index, len(self.server_state.connections) + len(self._accepting))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, or end at once if that has begun already."""
        if self._end is not None:
            self.should_exit = self.force_exit = True
            self._end_after(LEAVE_SECONDS)
            return
        self._service.admission.draining = True
        # A service that hasn't been ready gets no requests that it could serve on.
        drains = sig == signal.SIGTERM and self._service.repository.loaded
        self._end = monotonic() + (self._drain_seconds if drains else 0)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: close connections that timed out, collect garbage, and say whether it is time to end."""
        now = monotonic()
        self._update_count()
        if not self._gc_tuned and self._service.repository.loaded:
            self._gc_tuned = True
            _tune_gc()
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, TimeoutProtocol):
                    connection.close_if_timed_out(now)
        if counter % GC_TICKS == 0:
            gc.collect(0)
        if self._end is not None and now >= self._end:
            self.should_exit = True
        return await super().on_tick(counter)


def _tune_gc() -> None:
    """Have the garbage collector run rarely, and never look at the objects of the start: it took 4 % of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
