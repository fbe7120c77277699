"""Jobs: what a request wants run in batches, and what becomes of it."""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

MAX_BATCH = 64
# Arrays by name, each with one row per image.
Batch = Mapping[str, NDArray[Any]]
BatchFunction = Callable[[Batch], Batch]
DropReason = Literal["deadline", "disconnect", "failed", "closed"]


class QueueFull(Exception):
    """The queue has no room for ``rows`` more; it will have in ``retry_after`` whole seconds, by its present speed."""

    def __init__(self, rows: int, limit: int, seconds: float) -> None:
        super().__init__(f"there is no room for {rows} more now; the queue holds {limit} images")
        self.rows = rows
        self.limit = limit
        self.retry_after = max(1, math.ceil(seconds))


class QueueClosed(Exception):
    """The service ends, and jobs that wait are not run any more."""


class DeadlinePassed(Exception):
    """The request's deadline passed before its job was run."""


@dataclass(eq=False, slots=True)
class Job:
    """Rows of one request for one function, which may be split over several batches.

    ``then`` makes the result of the outputs, where the batch ran; ``future`` receives it. ``deadline`` and ``since``
    are times of perf_counter, in seconds.
    """

    function: BatchFunction
    inputs: Batch
    count: int
    then: Callable[[Batch], Any]
    future: Future[Any]
    deadline: float = math.inf
    since: float = field(default_factory=perf_counter)
    taken: int = 0
    """Rows that are in a batch, or dropped."""
    finished: int = 0
    """Rows whose outputs are there."""
    parts: list[tuple[int, Batch]] = field(default_factory=list)
    """Outputs of a split job, each with the number of its first row."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds in the queue, in inference, and in making the result."""

    @property
    def waiting(self) -> int:
        """Rows that are in no batch yet."""
        return self.count - self.taken


class Slice(NamedTuple):
    """The rows start..stop of a job that are in one batch."""

    job: Job
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many these are."""
        return self.stop - self.start


class Outcome(NamedTuple):
    """What becomes of a job: a result, or an error."""

    job: Job
    result: Any
    error: BaseException | None


class HasReservations(Protocol):
    """A queue that counts the requests which have arrived but not submitted their job yet."""

    reserved: int


class Reservation:
    """Room in a queue for a request whose job comes later. It counts from ``activate`` to ``release``."""

    def __init__(self, queue: HasReservations) -> None:
        self._queue: HasReservations | None = queue
        self._active = False

    def activate(self) -> None:
        """The request has arrived completely, and may submit its job at any time."""
        if self._queue and not self._active:
            self._active = True
            self._queue.reserved += 1

    def release(self) -> None:
        """The job is submitted now, or never will be."""
        if self._queue and self._active:
            self._queue.reserved -= 1
        self._queue = None


def take_batch(queue: deque[Job], max_rows: int) -> list[Slice]:
    """Take at most ``max_rows`` rows from the front of a queue of jobs; the last job may be split."""
    batch = []
    while queue and max_rows:
        job = queue[0]
        start, job.taken = job.taken, min(job.count, job.taken + max_rows)
        batch.append(Slice(job, start, job.taken))
        max_rows -= job.taken - start
        if job.taken == job.count:
            queue.popleft()
    return batch


def concatenated_inputs(batch: list[Slice]) -> Batch:
    """The inputs [B, ...] of all slices of a batch."""
    if len(batch) == 1:
        job, start, stop = batch[0]
        return {name: array[start:stop] for name, array in job.inputs.items()}
    names = batch[0].job.inputs
    return {name: np.concatenate([job.inputs[name][start:stop] for job, start, stop in batch]) for name in names}


def merged_outputs(job: Job) -> Batch:
    """The outputs [count, ...] of a job that was split."""
    parts = [outputs for _, outputs in sorted(job.parts, key=lambda part: part[0])]
    return {name: np.concatenate([outputs[name] for outputs in parts]) for name in parts[0]}


def completed(job: Job, outputs: Batch) -> Outcome:
    """The outcome of a job that has all its outputs."""
    begin = perf_counter()
    try:
        return Outcome(job, job.then(outputs), None)
    except Exception as error:
        return Outcome(job, None, error)
    finally:
        job.phases["encoding"] = perf_counter() - begin


def deliver(outcomes: Iterable[Outcome]) -> None:
    """Give each job's future its outcome, in the future's own event loop. Each other loop is woken once."""
    running = _running_loop()
    elsewhere: dict[AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        loop = outcome.job.future.get_loop()
        if loop is running:
            _settle(outcome)
        else:
            elsewhere.setdefault(loop, []).append(outcome)
    for loop, own in elsewhere.items():
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(_settle_all, own)


def _running_loop() -> AbstractEventLoop | None:
    try:
        return get_running_loop()
    except RuntimeError:
        return None


def _settle_all(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        _settle(outcome)


def _settle(outcome: Outcome) -> None:
    job, result, error = outcome
    if job.future.done():
        return
    if error is None:
        job.future.set_result(result)
    else:
        job.future.set_exception(error)
