"""Batches in the event loop itself: a change of threads takes as long as some models do."""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop
from collections.abc import Iterable
from time import perf_counter
from typing import Protocol

from service.batching.jobs import MAX_BATCH, Slice

log = logging.getLogger("spritevae.scheduler")
# Seconds that one batch may take in the event loop. Everything else waits for it.
BATCH_BUDGET_SECONDS = 0.01
# Models that take longer than this for a row have a thread: batches of few rows would win nothing in the event loop.
MAX_ROW_SECONDS = BATCH_BUDGET_SECONDS / 10
# Seconds after which the event loop reads requests again, however many full batches wait. If it read all requests
# first, too little time would be left for batches when more requests come than can be answered.
MAX_LOOP_SECONDS = 0.05


class BatchQueue(Protocol):
    """What the runner needs of its scheduler."""

    name: str
    waiting: int
    seconds_per_row: float

    def take(self, max_rows: int) -> list[Slice]:
        """The next batch of at most ``max_rows`` rows."""

    def run(self, batch: list[Slice]) -> None:
        """Run a batch, and deliver what it completes."""

    def fail(self, batch: Iterable[Slice], error: Exception) -> None:
        """Give the jobs of a batch an error."""

    def wake(self, loop: AbstractEventLoop) -> None:
        """Have what waits run."""


class InlineRunner:
    """Runs a scheduler's batches in the event loop that submits the jobs, as long as they are short."""

    def __init__(self, scheduler: BatchQueue) -> None:
        self._scheduler = scheduler
        self.called = False
        """Whether the event loop will come to what waits."""

    @property
    def max_rows(self) -> int:
        """Rows of a batch that fits into the budget; 0 while the time of a row isn't known, or it is too long."""
        seconds = self._scheduler.seconds_per_row
        if 0 < seconds <= MAX_ROW_SECONDS:
            return min(MAX_BATCH, int(BATCH_BUDGET_SECONDS / seconds))
        return 0

    def call(self, loop: AbstractEventLoop) -> None:
        """Run what waits when the event loop comes to it. The caller holds the scheduler's lock."""
        if not self.called:
            self.called = True
            loop.call_soon(self._run, loop)

    def _run(self, loop: AbstractEventLoop) -> None:
        """Run one batch, and further ones as long as they are full and time is left."""
        scheduler, end = self._scheduler, perf_counter() + MAX_LOOP_SECONDS
        batch: list[Slice] = []
        try:
            while max_rows := self.max_rows:
                batch = scheduler.take(max_rows)
                scheduler.run(batch)
                if not batch or scheduler.waiting < max_rows or perf_counter() > end:
                    break
        except Exception as error:
            log.critical("a batch of %s was lost", scheduler.name, exc_info=error)
            scheduler.fail(batch, error)
        self.called = False
        if scheduler.waiting:
            scheduler.wake(loop)
