"""What tests of batches need: jobs of functions that wait until they may run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from service.batching.jobs import Batch, BatchFunction, DropReason, Job
from service.batching.scheduler import Scheduler, SchedulerObserver

Array = np.ndarray[Any, Any]


class Notes(SchedulerObserver):
    """What a scheduler told."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gone: dict[str, int] = {}

    def batch_ran(self, function: BatchFunction, rows: int, waited: float, seconds: float) -> None:
        self.batches.append(rows)

    def rows_dropped(self, reason: DropReason, rows: int) -> None:
        self.gone[reason] = self.gone.get(reason, 0) + rows


class Gate:
    """A graph that doubles x, once it is let."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.seen: list[list[float]] = []

    def __call__(self, rows: Batch) -> Batch:
        self.entered.release()
        assert self.open.wait(60)
        self.seen.append(rows["x"].ravel().tolist())
        return {"y": 2 * rows["x"]}


@contextmanager
def scheduler(threads: int = 1, limit: int = 1000, inline: bool = False) -> Iterator[tuple[Scheduler, Notes]]:
    notes = Notes()
    made = Scheduler("toy", threads=threads, limit=limit, observer=notes, inline=inline)
    try:
        yield made, notes
    finally:
        made.close()


def job(graph: Callable[[Batch], Batch], *values: float, **more: Any) -> Job:
    rows = {"x": np.array(values, np.float32)[:, None]}
    future = asyncio.get_running_loop().create_future()
    return Job(graph, rows, len(values), lambda outputs: outputs["y"].ravel().tolist(), future, **more)


async def entered(gate: Gate, times: int = 1) -> None:
    for _ in range(times):
        await asyncio.to_thread(gate.entered.acquire)
