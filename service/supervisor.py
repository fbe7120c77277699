"""Several worker processes on one listening socket: started, replaced when they die, and ended together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess

from service import signals

log = logging.getLogger("spritevae.supervisor")
FAILED = 1
"""The exit code of a worker where another one would fail the same way."""

Work = Callable[[], int]


def supervise(works: Sequence[Work], replacement: Work, died: Callable[[int], None]) -> int:
    """Run each of ``works`` in a process until SIGTERM or SIGINT, and give the exit code; a second signal kills them.

    A worker that ends with FAILED ends all; one that dies otherwise has its place taken by ``replacement``. ``died`` is
    told the process ids of all that end.
    """
    arrivals = _signals()
    workers = [_start(work) for work in works]
    codes: list[int] = []
    ending = False
    while workers:
        number = arrivals.recv(1)[0]
        if number != signal.SIGCHLD:
            _send(signal.SIGKILL if ending else signal.Signals(number), workers)
            ending = True
            continue
        ended = [worker for worker in workers if worker.exitcode is not None]
        workers = [worker for worker in workers if worker not in ended]
        if not ending and any(worker.exitcode == FAILED for worker in ended):
            _send(signal.SIGTERM, workers)
            ending = True
        for worker in ended:
            died(worker.pid or 0)
            if ending:
                codes.append(abs(worker.exitcode or 0))
                continue
            log.error("worker %s ended with code %s; another one takes its place", worker.pid, worker.exitcode)
            workers.append(_start(replacement))
    return FAILED if any(codes) else 0


def _signals() -> socket.socket:
    """Where the numbers of signals arrive, those included that are held already."""
    arrivals, departures = socket.socketpair()
    departures.setblocking(False)
    signal.set_wakeup_fd(departures.detach())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in signals.held():
        signal.raise_signal(number)
    return arrivals


def _start(work: Work) -> SpawnProcess:
    worker = get_context("spawn").Process(target=_worker, args=(work,))
    worker.start()
    return worker


def _send(number: signal.Signals, workers: list[SpawnProcess]) -> None:
    for worker in workers:
        if worker.exitcode is None and worker.pid is not None:
            os.kill(worker.pid, number)


def _worker(work: Work) -> None:
    signals.hold()
    os.setpgrp()  # a terminal's Ctrl-C is for the parent, which passes it on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    raise SystemExit(work())


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
