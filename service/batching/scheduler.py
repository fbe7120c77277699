"""The batch scheduler: one bounded queue per model, and threads that pull batches from it.

Where one batch runs at a time, short ones run in the event loop itself: a change of threads takes as long as some
models do.
"""

from __future__ import annotations

import logging
import math
import threading
from asyncio import AbstractEventLoop, Future, _get_running_loop, get_running_loop
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger("spritevae.scheduler")
LARGEST_BATCH = 64
SMOOTHING = 0.1
"""Weight of the newest in the running means of the seconds that a row takes, and of the rows of a job."""
SLICE = 0.01
"""Seconds that a batch may take in the event loop, where everything else waits for it."""
SPREE = 0.05
"""Seconds after which the event loop reads requests again, however many full batches wait: reading them all first would
leave too little time for batches when there are more than can be answered."""

Columns = Mapping[str, NDArray[Any]]
"""Arrays by name, each with one row per image."""
Graph = Callable[[Columns], Columns]
Reason = Literal["deadline", "disconnect", "failed", "closed"]


class QueueFull(Exception):
    """No room for a job; ``seconds`` is in how many whole ones there is, by the queue's present speed."""

    def __init__(self, rows: int, limit: int, seconds: float) -> None:
        super().__init__(f"there is no room for {rows} more now; the queue holds {limit} images")
        self.limit = limit
        self.seconds = max(1, math.ceil(seconds))


class QueueClosed(Exception):
    """The service ends, and what waits is not run any more."""


class DeadlinePassed(Exception):
    """The request's time was over before it was run."""


@dataclass(eq=False, slots=True)
class Job:
    """Rows of one request for one graph, which may be split over several batches.

    ``then`` makes the job's result of its outputs, in the thread that ran them; it comes by ``future``. ``deadline``
    and ``since`` are times of perf_counter.
    """

    graph: Graph
    rows: Columns
    count: int
    then: Callable[[Columns], Any]
    future: Future[Any]
    deadline: float = math.inf
    since: float = field(default_factory=perf_counter)
    taken: int = 0
    finished: int = 0
    parts: list[tuple[int, Columns]] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds spent in the queue, in inference, and in making the result."""


class Ticket:
    """The right to submit a job to a queue that had room for it when its request came."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler: Scheduler | None = scheduler
        self._counts = False

    def count(self) -> None:
        """From now on it is for a request that has all come, and may submit its job at any time."""
        if self._scheduler and not self._counts:
            self._counts = True
            self._scheduler.coming += 1

    def use(self) -> None:
        """The job is submitted now, or never will be."""
        if self._scheduler and self._counts:
            self._scheduler.coming -= 1
        self._scheduler = None


class Slice(NamedTuple):
    """The rows start..stop of a job that are in one batch."""

    job: Job
    start: int
    stop: int


class Outcome(NamedTuple):
    """What becomes of a job."""

    job: Job
    result: Any
    error: BaseException | None


class Watcher:
    """Is told what a scheduler does; this one doesn't mind."""

    def waits(self, rows: int) -> None:
        """So many rows wait now."""

    def ran(self, rows: int, waited: float, seconds: float) -> None:
        """A batch of ``rows``, the oldest of which had ``waited`` so many seconds, took ``seconds``."""

    def dropped(self, reason: Reason, rows: int) -> None:
        """Rows that were not run."""


class Scheduler:
    """Runs jobs in batches, in the order they came. Its threads take what is there, and never wait for more.

    ``limit`` is how many rows may wait. ``inline``: the event loop that submits jobs runs them itself while a row takes
    at most a tenth of ``SLICE``; a batch there is as large as fits into that.
    """

    def __init__(
        self, name: str, *, threads: int, limit: int, watcher: Watcher | None = None, inline: bool = False
    ) -> None:
        self.name = name
        self.limit = limit
        self.waiting = 0
        self.coming = 0
        """Requests that have come and not submitted a job yet: holders of a ``Ticket`` that counts."""
        self._usual = 1.0
        self._watcher = watcher or Watcher()
        self._queues: dict[Graph, deque[Job]] = {}
        self._ready = threading.Condition(threading.Lock())
        self._idle = 0
        self._inline = inline
        self._called = False
        self._closed = False
        self._seconds_per_row = 0.0
        self._threads = [self._start(index) for index in range(threads)]

    @property
    def alive(self) -> bool:
        """Whether all its threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def seconds(self, rows: int) -> float:
        """How long so many rows take, by the present speed."""
        return rows * self._seconds_per_row / len(self._threads)

    def check_room(self) -> None:
        """Raise QueueFull unless an image finds room beside what waits and as much as usual of each that is coming."""
        self._check_room(1, self.waiting + math.ceil(self._usual * self.coming))

    def _check_room(self, rows: int, ahead: int) -> None:
        excess = ahead + rows - self.limit
        if excess > 0:
            raise QueueFull(rows, self.limit, self.seconds(excess))

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue; raises QueueFull or QueueClosed."""
        with self._ready:
            if self._closed:
                raise QueueClosed
            self._usual += SMOOTHING * (min(job.count, self.limit) - self._usual)
            self._check_room(job.count, self.waiting)
            self._queues.setdefault(job.graph, deque()).append(job)
            self._change(job.count)
            self._call(job.future.get_loop(), job.count)

    def drop(self, job: Job, reason: Reason) -> None:
        """Take what still waits of a job out of the queue."""
        with self._ready:
            left = job.count - job.taken
            if not left:
                return
            job.taken = job.count
            self._change(-left)
            self._queues[job.graph].remove(job)
            self._forget_empty(job.graph)
        self._watcher.dropped(reason, left)

    def close(self) -> None:
        """Drop all that waits, and end the threads once they have run what they took."""
        with self._ready:
            self._closed = True
            jobs = [job for queue in self._queues.values() for job in queue]
            self._ready.notify_all()
        for job in jobs:
            self.drop(job, "closed")
        _deliver(Outcome(job, None, QueueClosed()) for job in jobs)
        for thread in self._threads:
            thread.join()

    def _start(self, index: int) -> threading.Thread:
        thread = threading.Thread(target=self._work, args=(index,), name=f"{self.name}-{index}", daemon=True)
        thread.start()
        return thread

    def _work(self, index: int) -> None:
        batch: list[Slice] = []
        try:
            while batch := self._take():
                self._run(batch)
        finally:
            if not self._closed:  # whatever ended it, the queue must not stand still
                log.critical("thread %d of %s ended; another one takes its place", index, self.name)
                self._threads[index] = self._start(index)
                self._fail(batch, RuntimeError("the thread that ran it ended"))

    def _take(self) -> list[Slice]:
        """The next batch, of the graph whose job is the oldest; empty once the scheduler is closed.

        Threads that are idle at the same time share what there is.
        """
        with self._ready:
            self._idle += 1
            try:
                # What the event loop was called for is left to it.
                while (not self._queues or self._room) and not self._closed:
                    self._ready.wait()
                return self._next(LARGEST_BATCH, self._idle)
            finally:
                self._idle -= 1

    def _next(self, room: int, sharers: int = 1) -> list[Slice]:
        """At most ``room`` rows of the graph whose job is the oldest, for one of those who share what there is.

        None where nothing waits, or nothing is run any more.
        """
        if self._closed or not self._queues:
            return []
        graph = min(self._queues, key=lambda graph: self._queues[graph][0].since)
        queue = self._queues[graph]
        if sharers > 1:
            room = min(room, -(-sum(job.count - job.taken for job in queue) // sharers))
        batch = _split(queue, room)
        self._forget_empty(graph)
        self._change(-sum(stop - start for _, start, stop in batch))
        return batch

    @property
    def _room(self) -> int:
        """Rows of a batch in the event loop; none while it isn't known how long they take, or they take too long."""
        if self._inline and 0 < self._seconds_per_row <= SLICE / 10:
            return min(LARGEST_BATCH, int(SLICE / self._seconds_per_row))
        return 0

    def _call(self, loop: AbstractEventLoop, rows: int) -> None:
        """Have rows that wait run: in the event loop, or by threads that wait for some."""
        if not self._room:
            self._ready.notify(rows)
        elif not self._called:
            self._called = True
            loop.call_soon(self._drain)

    def _drain(self) -> None:
        """Run what waits, in the event loop: one batch, and more as long as they are full and it isn't for too long."""
        end, batch = perf_counter() + SPREE, []
        try:
            while room := self._room:
                with self._ready:
                    batch = self._next(room)
                self._run(batch)
                if not batch or self.waiting < room or perf_counter() > end:
                    break
        except Exception as error:
            log.critical("a batch of %s was lost", self.name, exc_info=error)
            self._fail(batch, error)
        with self._ready:
            self._called = False
            if self._queues:
                self._call(get_running_loop(), self.waiting)

    def _change(self, rows: int) -> None:
        self.waiting += rows
        self._watcher.waits(self.waiting)

    def _forget_empty(self, graph: Graph) -> None:
        if not self._queues[graph]:
            del self._queues[graph]

    def _run(self, batch: list[Slice]) -> None:
        begin = perf_counter()
        for job, start, _ in batch:
            if start == 0:
                job.phases["queue"] = begin - job.since
        expired = [piece for piece in batch if piece.job.deadline < begin]
        if expired:
            batch = [piece for piece in batch if piece not in expired]
            self._expire(expired)
        if not batch:
            return
        try:
            outputs = batch[0].job.graph(_joined(batch))
        except Exception as error:
            self._fail(batch, error)
            return
        seconds, rows = perf_counter() - begin, sum(stop - start for _, start, stop in batch)
        weight = SMOOTHING if self._seconds_per_row else 1.0
        self._seconds_per_row += weight * (seconds / rows - self._seconds_per_row)
        self._watcher.ran(rows, max(begin - piece.job.since for piece in batch), seconds)
        _deliver(self._finished(batch, outputs, seconds))

    def _finished(self, batch: list[Slice], outputs: Columns, seconds: float) -> list[Outcome]:
        """The outcome of each job that has all its rows now."""
        done = []
        offset = 0
        for job, start, stop in batch:
            end = offset + stop - start
            rows = {name: column[offset:end] for name, column in outputs.items()}
            offset = end
            if stop - start == job.count:
                job.phases["inference"] = seconds
                done.append(_outcome(job, rows))
            elif self._completes(job, start, rows, stop - start, seconds):
                done.append(_outcome(job, _whole(job.parts)))
        return done

    def _completes(self, job: Job, start: int, rows: Columns, count: int, seconds: float) -> bool:
        """Note a part of a job that was split; other threads may have the others."""
        with self._ready:
            job.parts.append((start, rows))
            job.finished += count
            job.phases["inference"] = job.phases.get("inference", 0.0) + seconds
            return job.finished == job.count

    def _fail(self, batch: Iterable[Slice], error: Exception) -> None:
        for piece in batch:
            self.drop(piece.job, "failed")
        _deliver(Outcome(piece.job, None, error) for piece in batch)

    def _expire(self, batch: list[Slice]) -> None:
        for job, start, stop in batch:
            self._watcher.dropped("deadline", stop - start)
            self.drop(job, "deadline")
        _deliver(Outcome(piece.job, None, DeadlinePassed()) for piece in batch)


def _split(queue: deque[Job], room: int) -> list[Slice]:
    batch = []
    while queue and room:
        job = queue[0]
        start, job.taken = job.taken, min(job.count, job.taken + room)
        batch.append(Slice(job, start, job.taken))
        room -= job.taken - start
        if job.taken == job.count:
            queue.popleft()
    return batch


def _joined(batch: list[Slice]) -> Columns:
    if len(batch) == 1:
        job, start, stop = batch[0]
        return {name: column[start:stop] for name, column in job.rows.items()}
    return {
        name: np.concatenate([job.rows[name][start:stop] for job, start, stop in batch]) for name in batch[0].job.rows
    }


def _whole(parts: list[tuple[int, Columns]]) -> Columns:
    ordered = [rows for _, rows in sorted(parts, key=lambda part: part[0])]
    return {name: np.concatenate([rows[name] for rows in ordered]) for name in ordered[0]}


def _outcome(job: Job, outputs: Columns) -> Outcome:
    begin = perf_counter()
    try:
        return Outcome(job, job.then(outputs), None)
    except Exception as error:
        return Outcome(job, None, error)
    finally:
        job.phases["encoding"] = perf_counter() - begin


def _deliver(outcomes: Iterable[Outcome]) -> None:
    """Wake those who wait, each event loop once."""
    by_loop: dict[AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.job.future.get_loop(), []).append(outcome)
    for loop, own in by_loop.items():
        if loop is _get_running_loop():
            _settle(own)
            continue
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(_settle, own)


def _settle(outcomes: list[Outcome]) -> None:
    for job, result, error in outcomes:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
