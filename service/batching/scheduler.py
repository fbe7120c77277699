"""The batch scheduler: one bounded queue per model, from which threads, or the event loop itself, take batches."""

from __future__ import annotations

import logging
import math
import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Iterable
from time import perf_counter

from service.batching.inline import InlineRunner
from service.batching.jobs import (
    MAX_BATCH,
    Batch,
    BatchFunction,
    DeadlinePassed,
    DropReason,
    Job,
    Outcome,
    QueueClosed,
    QueueFull,
    Slice,
    completed,
    concatenated_inputs,
    deliver,
    merged_outputs,
    take_batch,
)

log = logging.getLogger("spritevae.scheduler")
# Weight of the newest value in the running means of seconds per row and of rows per job.
SMOOTHING = 0.1


class SchedulerObserver:
    """Is told what a scheduler does. This one ignores it; metrics override what they count."""

    def queue_changed(self, rows: int) -> None:
        """``rows`` wait now."""

    def batch_ran(self, function: BatchFunction, rows: int, waited: float, seconds: float) -> None:
        """``function`` ran a batch of ``rows`` for ``seconds``; its oldest row had waited for ``waited`` seconds."""

    def rows_dropped(self, reason: DropReason, rows: int) -> None:
        """``rows`` will not be run."""


class Scheduler:
    """Runs jobs in batches, in the order they came. Its threads take what is there, and never wait for more.

    At most ``limit`` rows wait. With ``inline`` and one thread, the event loop runs short batches itself.
    """

    def __init__(
        self, name: str, *, threads: int, limit: int, observer: SchedulerObserver | None = None, inline: bool = False
    ) -> None:
        self.name = name
        self.limit = limit
        self.waiting = 0
        """Rows in the queue."""
        self.reserved = 0
        """Requests that have arrived and not submitted their job yet: active ``Reservation``s."""
        self.seconds_per_row = 0.0
        """Running mean; 0 until the first batch has run."""
        self._mean_rows = 1.0
        self._observer = observer or SchedulerObserver()
        self._queues: dict[BatchFunction, deque[Job]] = {}
        self._changed = threading.Condition(threading.Lock())
        self._idle = 0
        self._closed = False
        self._inline = InlineRunner(self) if inline else None
        self._threads = [self._start(index) for index in range(threads)]

    @property
    def alive(self) -> bool:
        """Whether all its threads run."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def concurrency(self) -> int:
        """How many batches run at once."""
        return len(self._threads)

    def check_room(self) -> None:
        """Raise QueueFull unless one more image finds room beside what waits and what is reserved.

        A reservation counts as many rows as jobs have had of late.
        """
        self._check_room(1, self.waiting + math.ceil(self._mean_rows * self.reserved))

    def _check_room(self, rows: int, ahead: int) -> None:
        excess = ahead + rows - self.limit
        if excess > 0:
            raise QueueFull(rows, self.limit, excess * self.seconds_per_row / len(self._threads))

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue; raises QueueFull or QueueClosed."""
        with self._changed:
            if self._closed:
                raise QueueClosed
            self._mean_rows += SMOOTHING * (min(job.count, self.limit) - self._mean_rows)
            self._check_room(job.count, self.waiting)
            self._queues.setdefault(job.function, deque()).append(job)
            self._add_waiting(job.count)
            self._wake(job.future.get_loop(), job.count)

    def drop(self, job: Job, reason: DropReason) -> None:
        """Take what still waits of a job out of the queue."""
        with self._changed:
            rows = job.waiting
            if not rows:
                return
            job.taken = job.count
            self._add_waiting(-rows)
            self._queues[job.function].remove(job)
            self._forget_if_empty(job.function)
        self._observer.rows_dropped(reason, rows)

    def close(self) -> None:
        """Drop all that waits, and end the threads once they have run what they took."""
        with self._changed:
            self._closed = True
            jobs = [job for queue in self._queues.values() for job in queue]
            self._changed.notify_all()
        for job in jobs:
            self.drop(job, "closed")
        deliver(Outcome(job, None, QueueClosed()) for job in jobs)
        for thread in self._threads:
            thread.join()

    def take(self, max_rows: int, idle: int = 1) -> list[Slice]:
        """The next batch: at most ``max_rows`` rows of the function whose job is the oldest. Empty if nothing waits.

        Where several threads are ``idle``, each takes its share of what there is.
        """
        with self._changed:
            return self._take(max_rows, idle)

    def run(self, batch: list[Slice]) -> None:
        """Run a batch, and deliver what it completes."""
        begin = perf_counter()
        for job, start, _ in batch:
            if start == 0:
                job.phases["queue"] = begin - job.since
        expired = [piece for piece in batch if piece[0].deadline < begin]
        if expired:
            batch = [piece for piece in batch if piece not in expired]
            self._expire(expired)
        if not batch:
            return
        try:
            outputs = batch[0].job.function(concatenated_inputs(batch))
        except Exception as error:
            self.fail(batch, error)
            return
        seconds, rows = perf_counter() - begin, sum([stop - start for _, start, stop in batch])
        weight = SMOOTHING if self.seconds_per_row else 1.0
        self.seconds_per_row += weight * (seconds / rows - self.seconds_per_row)
        waited = begin - min([job.since for job, _, _ in batch])
        self._observer.batch_ran(batch[0].job.function, rows, waited, seconds)
        deliver(self._outcomes(batch, outputs, seconds))

    def fail(self, batch: Iterable[Slice], error: Exception) -> None:
        """Give the jobs of a batch an error, and drop what waits of them."""
        for piece in batch:
            self.drop(piece.job, "failed")
        deliver(Outcome(piece.job, None, error) for piece in batch)

    def wake(self, loop: AbstractEventLoop) -> None:
        """Have what waits run: in the event loop, or by threads."""
        with self._changed:
            if self._queues:
                self._wake(loop, self.waiting)

    def _wake(self, loop: AbstractEventLoop, rows: int) -> None:
        if self._inline and self._inline.max_rows:
            self._inline.call(loop)
        else:
            self._changed.notify(rows)

    def _start(self, index: int) -> threading.Thread:
        thread = threading.Thread(target=self._work, args=(index,), name=f"{self.name}-{index}", daemon=True)
        thread.start()
        return thread

    def _work(self, index: int) -> None:
        batch: list[Slice] = []
        try:
            while batch := self._wait_for_batch():
                self.run(batch)
        finally:
            if not self._closed:  # the queue must not stand still, whatever ended the thread
                log.critical("thread %d of %s ended; another one takes its place", index, self.name)
                self._threads[index] = self._start(index)
                self.fail(batch, RuntimeError("the thread that ran it ended"))

    def _wait_for_batch(self) -> list[Slice]:
        """The next batch for a thread; empty once the scheduler is closed."""
        with self._changed:
            self._idle += 1
            try:
                # A thread that came late must not take what the event loop was called for.
                while (not self._queues or (self._inline and self._inline.called)) and not self._closed:
                    self._changed.wait()
                return self._take(MAX_BATCH, self._idle)
            finally:
                self._idle -= 1

    def _take(self, max_rows: int, idle: int) -> list[Slice]:
        if self._closed or not self._queues:
            return []
        function = min(self._queues, key=lambda each: self._queues[each][0].since)
        queue = self._queues[function]
        if idle > 1:
            max_rows = min(max_rows, -(-sum(job.waiting for job in queue) // idle))
        batch = take_batch(queue, max_rows)
        self._forget_if_empty(function)
        self._add_waiting(-sum([stop - start for _, start, stop in batch]))
        return batch

    def _add_waiting(self, rows: int) -> None:
        self.waiting += rows
        self._observer.queue_changed(self.waiting)

    def _forget_if_empty(self, function: BatchFunction) -> None:
        if not self._queues[function]:
            del self._queues[function]

    def _outcomes(self, batch: list[Slice], outputs: Batch, seconds: float) -> list[Outcome]:
        """The outcome of each job of a batch that has all its outputs now."""
        done = []
        offset = 0
        for piece in batch:
            job, start, stop = piece
            end = offset + stop - start
            own = {name: array[offset:end] for name, array in outputs.items()}
            offset = end
            if stop - start == job.count:
                job.phases["inference"] = seconds
                done.append(completed(job, own))
            elif self._completes(piece, own, seconds):
                done.append(completed(job, merged_outputs(job)))
        return done

    def _completes(self, piece: Slice, outputs: Batch, seconds: float) -> bool:
        """Keep a part of a job that was split, and say whether it is the last. Other threads may run other parts."""
        job = piece.job
        with self._changed:
            job.parts.append((piece.start, outputs))
            job.finished += piece.rows
            job.phases["inference"] = job.phases.get("inference", 0.0) + seconds
            return job.finished == job.count

    def _expire(self, batch: list[Slice]) -> None:
        for piece in batch:
            self._observer.rows_dropped("deadline", piece.rows)
            self.drop(piece.job, "deadline")
        deliver(Outcome(piece.job, None, DeadlinePassed()) for piece in batch)
