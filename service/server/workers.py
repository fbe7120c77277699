"""Several worker processes on one listening socket: started, replaced when they die, and ended together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess

from service.server import stop_signals

log = logging.getLogger("spritevae.supervisor")
FAILED = 1
"""The exit code of a worker where another one would fail the same way."""

Work = Callable[[int, bool], int]
"""Of a worker's place among all, and whether it is the first one there."""


def supervise(work: Work, count: int, died: Callable[[int, int], None], ends: Callable[[], None]) -> int:
    """Run ``work`` in so many processes until SIGTERM or SIGINT, and give the exit code; a second signal kills them.

    A worker that ends with FAILED ends all; one that dies otherwise has its place taken by another. ``died`` is told
    the place and the process id of each that ends, and ``ends`` is called once no other will take its place.
    """
    arrivals = _signals()
    workers = {place: _start(work, place, True) for place in range(count)}
    codes: list[int] = []
    ending = False
    while workers:
        number = arrivals.recv(1)[0]
        if number != signal.SIGCHLD:
            _send(signal.SIGKILL if ending else signal.Signals(number), workers.values())
            ending = True
            ends()
            continue
        ended = {place: worker for place, worker in workers.items() if worker.exitcode is not None}
        if not ending and any(worker.exitcode == FAILED for worker in ended.values()):
            _send(signal.SIGTERM, workers.values())
            ending = True
            ends()
        for place, worker in ended.items():
            del workers[place]
            died(place, worker.pid or 0)
            if ending:
                codes.append(worker.exitcode or 0)
                continue
            log.error("worker %s ended with code %s; another one takes its place", worker.pid, worker.exitcode)
            workers[place] = _start(work, place, False)
    # Who was told before it could hear did as it was told.
    return FAILED if {*codes} - {0, -signal.SIGTERM, -signal.SIGINT} else 0


def _signals() -> socket.socket:
    """Where the numbers of signals arrive, those included that are held already."""
    arrivals, departures = socket.socketpair()
    departures.setblocking(False)
    signal.set_wakeup_fd(departures.detach())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in tuple(stop_signals.held()):  # raised again, they are held again
        signal.raise_signal(number)
    return arrivals


def _start(work: Work, place: int, first: bool) -> SpawnProcess:
    worker = get_context("spawn").Process(target=_worker, args=(work, place, first))
    worker.start()
    return worker


def _send(number: signal.Signals, workers: Iterable[SpawnProcess]) -> None:
    for worker in workers:
        if worker.exitcode is None and worker.pid is not None:
            os.kill(worker.pid, number)


def _worker(work: Work, place: int, first: bool) -> None:
    stop_signals.hold()
    os.setpgrp()  # a terminal's Ctrl-C is for the parent, which passes it on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    raise SystemExit(work(place, first))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
