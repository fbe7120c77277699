from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from service.batching.jobs import MAX_BATCH, Batch, Job
from service.batching.scheduler import Scheduler
from tests.service.batching.toy_jobs import job, scheduler


class Clock:
    """Time that passes where it is told to, however busy the machine is."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The scheduler's."""
    made = Clock()
    for module in ("scheduler", "inline"):
        monkeypatch.setattr(f"service.batching.{module}.perf_counter", made)
    return made


class Placed:
    """A graph that doubles x in ``seconds`` a row, and notes the rows of each batch by where it ran."""

    def __init__(self, clock: Clock, seconds: float = 1e-5) -> None:
        self.clock = clock
        self.seconds = seconds
        self.here: list[int] = []
        self.elsewhere: list[int] = []
        self._home = threading.get_ident()

    def __call__(self, rows: Batch) -> Batch:
        count = len(rows["x"])
        self.clock.now += self.seconds * count
        (self.here if threading.get_ident() == self._home else self.elsewhere).append(count)
        return {"y": 2 * rows["x"]}


async def run(queue: Scheduler, *jobs: Job) -> list[Any]:
    for each in jobs:
        queue.submit(each)
    return await asyncio.gather(*(each.future for each in jobs))


def test_short_batches_run_in_the_event_loop_once_it_is_known_how_short_they_are(clock: Clock):
    async def main() -> None:
        graph, other = Placed(clock), Placed(clock)
        with scheduler(inline=True) as (queue, notes):
            assert await run(queue, job(graph, 0)) == [[0]]
            assert (graph.here, graph.elsewhere) == ([], [1])
            jobs = job(graph, 1), job(other, 2), job(graph, 3, 4), job(graph, *range(3 * MAX_BATCH))
            assert await run(queue, *jobs) == [[2], [4], [6, 8], [2 * x for x in range(3 * MAX_BATCH)]]
            assert graph.here[0] == other.here[0] + MAX_BATCH - 1 == MAX_BATCH
            assert graph.elsewhere == [1]
            assert not other.elsewhere
            assert sum(notes.batches) == 1 + 4 + 3 * MAX_BATCH
            assert queue.waiting == 0
            late, left = job(graph, 5, deadline=0), job(graph, 6)
            queue.submit(late)
            queue.submit(left)
            queue.drop(left, "disconnect")
            assert await run(queue, job(graph, 7)) == [[14]]
            assert "DeadlinePassed" in repr(late.future.exception())
            assert notes.gone == {"deadline": 1, "disconnect": 1}
            graph.seconds = 0.1  # as it had grown slow
            for _ in range(3):
                await run(queue, job(graph, 8))
            assert graph.elsewhere[1:]

    asyncio.run(main())


def test_a_first_job_of_several_batches_is_run_to_its_end(clock: Clock):
    """Its first batch shows how short they are, and nobody calls the event loop for the others."""

    async def main() -> None:
        graph = Placed(clock)
        values = range(3 * MAX_BATCH + 1)
        with scheduler(inline=True) as (queue, _):
            async with asyncio.timeout(60):
                assert await run(queue, job(graph, *values)) == [[2 * x for x in values]]
                assert await run(queue, job(graph, 1)) == [[2]]
            assert graph.here == [1]

    asyncio.run(main())


def test_the_event_loop_takes_no_more_than_it_can_run_in_a_moment_and_leaves_slow_models_to_the_thread(clock: Clock):
    async def main() -> None:
        for milliseconds, most in ((0.4, 25), (2, 0)):
            graph = Placed(clock, milliseconds / 1000)
            with scheduler(inline=True) as (queue, _):
                await run(queue, job(graph, 0))
                await run(queue, *(job(graph, x) for x in range(100)))
            assert max(graph.here, default=0) in (most, most - 1)  # by what 0.4 ms are as a float
            assert sum(graph.here + graph.elsewhere) == 101

    asyncio.run(main())


def test_a_batch_in_the_event_loop_that_fails_is_answered_and_the_next_one_runs(clock: Clock):
    def broken(rows: Batch) -> Batch:
        raise ValueError("broken")

    async def main() -> None:
        graph = Placed(clock)
        with scheduler(inline=True) as (queue, notes):
            await run(queue, job(graph, 0))
            with pytest.raises(ValueError, match="broken"):
                await run(queue, job(broken, 1))
            notes.batch_ran = lambda *_: {}["nothing"]  # type: ignore[method-assign]
            with pytest.raises(KeyError, match="nothing"):
                await run(queue, job(graph, 2))
            del notes.batch_ran  # type: ignore[method-assign]
            assert await run(queue, job(graph, 3)) == [[6]]
            assert len(graph.here) == 2

    asyncio.run(main())


def test_other_work_has_its_turn_in_the_event_loop_however_much_waits(clock: Clock):
    async def main() -> None:
        graph = Placed(clock, 0.0002)
        with scheduler(limit=10_000, inline=True) as (queue, _):
            await run(queue, job(graph, 0))
            jobs = [job(graph, *range(500)) for _ in range(4)]
            for each in jobs:
                queue.submit(each)
            turns = 0
            while not jobs[-1].future.done():
                await asyncio.sleep(0)
                turns += 1
            assert turns > 3  # 0.4 s in all, of at most 0.06 each
            assert graph.elsewhere == [1]

    asyncio.run(main())
