"""Worker processes on one listening socket: started, replaced when they die, and ended together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from time import monotonic

from service.server import stop_signals

log = logging.getLogger("spritevae.workers")
# The exit code of a worker that fails in a way in which every other worker would fail, too.
FAILED = 1
# A worker that dies sooner than this after its start counts as failing again.
STABLE_SECONDS = 60
# The pause before a worker is started again after 2, 3, ... deaths in a row doubles, from the first to the longest.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
# Deaths in a row of every worker after which the service gives up.
MAX_DEATHS = 6

# Runs one worker, given its index and whether it is the first with this index; returns its exit code.
RunWorker = Callable[[int, bool], int]


@dataclass
class Worker:
    """One of the workers: its process, or when the next one is started in its place."""

    process: SpawnProcess | None = None
    started: float = 0
    deaths: int = 0
    """How many processes in a row have died soon after their start."""
    restart: float = 0


def supervise(
    run_worker: RunWorker, count: int, on_exit: Callable[[int, int], None], on_last: Callable[[], None]
) -> int:
    """Run ``count`` workers until SIGTERM or SIGINT, and give the exit code; a second signal kills them.

    A worker that ends with FAILED ends all. One that dies otherwise is replaced: at once, then after longer and longer
    pauses; if all die again and again, the service gives up with FAILED. ``on_exit`` gets the index and the process id
    of each worker that ends; ``on_last`` is called once no further worker will be started.
    """
    return _Supervisor(run_worker, count, on_exit, on_last).run()


class _Supervisor:
    def __init__(
        self, run_worker: RunWorker, count: int, on_exit: Callable[[int, int], None], on_last: Callable[[], None]
    ) -> None:
        self._run_worker = run_worker
        self._on_exit = on_exit
        self._on_last = on_last
        self._workers = [Worker() for _ in range(count)]
        self._ending = False
        self._exit_codes: list[int] = []

    def run(self) -> int:
        """Supervise until no worker is left."""
        arrivals = receive_signals()
        for index in range(len(self._workers)):
            self._start(index, first=True)
        while self._running or not self._ending:
            arrivals.settimeout(self._until_restart())
            try:
                number = arrivals.recv(1)[0]
            except TimeoutError:
                self._restart_due()
                continue
            if number == signal.SIGCHLD:
                self._reap()
            else:
                self._end(signal.SIGKILL if self._ending else signal.Signals(number))
        # A worker that was stopped before it could handle signals did as it was told.
        return FAILED if {*self._exit_codes} - {0, -signal.SIGTERM, -signal.SIGINT} else 0

    @property
    def _running(self) -> list[SpawnProcess]:
        return [worker.process for worker in self._workers if worker.process]

    def _until_restart(self) -> float | None:
        """Seconds until the next worker is started again; None if none is waited for."""
        due = [worker.restart for worker in self._workers if worker.process is None]
        return max(0.0, min(due) - monotonic()) or 0.001 if due and not self._ending else None

    def _restart_due(self) -> None:
        for index, worker in enumerate(self._workers):
            if worker.process is None and worker.restart <= monotonic():
                self._start(index, first=False)

    def _start(self, index: int, *, first: bool) -> None:
        process = get_context("spawn").Process(target=_run, args=(self._run_worker, index, first))
        process.start()
        self._workers[index].process, self._workers[index].started = process, monotonic()

    def _end(self, number: signal.Signals) -> None:
        """Send a signal to all workers, and start no further ones."""
        _send(number, self._running)
        if not self._ending:
            self._ending = True
            self._on_last()

    def _reap(self) -> None:
        """Handle the workers that have ended."""
        ended = [i for i, worker in enumerate(self._workers) if worker.process and worker.process.exitcode is not None]
        if not self._ending and any(self._exit_code(index) == FAILED for index in ended):
            self._end(signal.SIGTERM)
        for index in ended:
            worker, code = self._workers[index], self._exit_code(index)
            assert worker.process
            self._on_exit(index, worker.process.pid or 0)
            if self._ending:
                self._exit_codes.append(code)
            else:
                self._plan_restart(worker, code)
            worker.process = None
        if not self._ending and all(worker.deaths >= MAX_DEATHS for worker in self._workers):
            log.critical("every worker died %s times in a row soon after its start: the service gives up", MAX_DEATHS)
            self._exit_codes.append(FAILED)
            self._end(signal.SIGTERM)

    def _exit_code(self, index: int) -> int:
        process = self._workers[index].process
        return (process.exitcode or 0) if process else 0

    def _plan_restart(self, worker: Worker, code: int) -> None:
        """Say why a worker ended, and when the next one is started."""
        lifetime = monotonic() - worker.started
        worker.deaths = worker.deaths + 1 if lifetime < STABLE_SECONDS else 1
        pause = pause_seconds(worker.deaths)
        worker.restart = monotonic() + pause
        assert worker.process
        log.error(
            "worker %s ended after %.1f s: %s (%s in a row); another one starts %s",
            worker.process.pid,
            lifetime,
            f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}",
            worker.deaths,
            f"in {pause:g} s" if pause else "now",
        )


def pause_seconds(deaths: int) -> float:
    """Seconds until a worker is started again after ``deaths`` in a row: 0, 1, 2, 4, ... 30."""
    return min(FIRST_PAUSE_SECONDS * 2 ** (deaths - 2), LONGEST_PAUSE_SECONDS) if deaths > 1 else 0.0


def receive_signals() -> socket.socket:
    """A socket that gives the number of each signal as one byte, those included that are deferred already."""
    arrivals, departures = socket.socketpair()
    departures.setblocking(False)
    signal.set_wakeup_fd(departures.detach())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in tuple(stop_signals.deferred()):  # a copy, as raising them again defers them again
        signal.raise_signal(number)
    return arrivals


def _send(number: signal.Signals, processes: Iterable[SpawnProcess]) -> None:
    for process in processes:
        if process.exitcode is None and process.pid is not None:
            os.kill(process.pid, number)


def _run(run_worker: RunWorker, index: int, first: bool) -> None:
    """The main function of a worker process."""
    stop_signals.defer_stop_signals()
    os.setpgrp()  # a terminal sends Ctrl-C to the parent only, which passes it on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    raise SystemExit(run_worker(index, first))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
