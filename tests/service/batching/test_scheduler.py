from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from service.batching.jobs import MAX_BATCH, Batch, DropReason, Job, QueueClosed, QueueFull, Reservation
from service.batching.scheduler import Scheduler, SchedulerObserver

Array = np.ndarray[Any, Any]


class Notes(SchedulerObserver):
    """What a scheduler told."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gone: dict[str, int] = {}

    def batch_ran(self, rows: int, waited: float, seconds: float) -> None:
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


def test_what_waits_is_run_as_one_batch_and_each_job_gets_its_own():
    async def main() -> None:
        gate = Gate()
        with scheduler() as (queue, notes):
            first = job(gate, 1)
            queue.submit(first)
            await entered(gate)
            later = [job(gate, 2), job(gate, 3, 4), job(gate, 5)]
            for each in later:
                queue.submit(each)
            assert queue.waiting == 4
            gate.open.set()
            assert await asyncio.gather(*(each.future for each in [first, *later])) == [[2], [4], [6, 8], [10]]
            assert notes.batches == [1, 4]
            assert queue.waiting == 0

    asyncio.run(main())


def test_a_large_job_is_split_and_put_together_again():
    async def main() -> None:
        gate = Gate()
        gate.open.set()
        with scheduler(threads=3) as (queue, notes):
            values = np.arange(5 * MAX_BATCH + 1.0)
            large = job(gate, *values)
            queue.submit(large)
            assert await large.future == (2 * values).tolist()
            assert max(notes.batches) <= MAX_BATCH
            assert sum(notes.batches) == len(values)

    asyncio.run(main())


def test_idle_threads_share_one_job():
    async def main() -> None:
        gate = Gate()
        with scheduler(threads=2) as (queue, notes):
            await asyncio.sleep(0.05)  # both wait for work
            both = job(gate, *range(8))
            queue.submit(both)
            await entered(gate, 2)
            gate.open.set()
            await both.future
            assert sorted(notes.batches) == [4, 4]

    asyncio.run(main())


def test_jobs_of_other_graphs_are_not_mixed_and_the_oldest_goes_first():
    async def main() -> None:
        gate, other = Gate(), Gate()
        other.open.set()
        with scheduler() as (queue, _):
            running = job(gate, 1)
            queue.submit(running)
            await entered(gate)
            jobs = [job(other, 2), job(gate, 3), job(other, 4)]
            for each in jobs:
                queue.submit(each)
            gate.open.set()
            await asyncio.gather(*(each.future for each in jobs))
            assert other.seen == [[2, 4]]
            assert gate.seen == [[1], [3]]

    asyncio.run(main())


def test_the_queue_is_bounded_in_rows_for_one_list_as_for_many_single_ones():
    async def main() -> None:
        gate = Gate()
        with scheduler(limit=4) as (queue, _):
            jobs = [job(gate, 1)]
            queue.submit(jobs[0])
            await entered(gate)
            jobs += [job(gate, 2), job(gate, 3, 4)]
            queue.submit(jobs[1])
            queue.submit(jobs[2])
            with pytest.raises(QueueFull, match="no room for 2 more now; the queue holds 4 images"):
                queue.submit(job(gate, 5, 6))
            jobs.append(job(gate, 7))
            queue.submit(jobs[3])
            with pytest.raises(QueueFull):
                queue.check_room()
            gate.open.set()
            await asyncio.gather(*(each.future for each in jobs))

    asyncio.run(main())


def test_room_is_kept_for_as_much_as_usual_for_each_that_has_come_and_not_said_how_much():
    async def main() -> None:
        gate = Gate()
        gate.open.set()
        with scheduler(limit=64) as (queue, _):
            tickets = [Reservation(queue) for _ in range(64)]
            for ticket in [*tickets[1:], *tickets[1:]]:  # the second time it counts already
                ticket.activate()
            queue.check_room()
            tickets[0].activate()
            with pytest.raises(QueueFull, match="no room for 1 more now; the queue holds 64 images"):
                queue.check_room()
            for ticket in [*tickets, *tickets]:  # the second time it is used already
                ticket.release()
            assert queue.reserved == 0
            for _ in range(100):
                large = job(gate, *range(32))
                queue.submit(large)
                await large.future
            first, second = Reservation(queue), Reservation(queue)
            first.activate()
            queue.check_room()
            second.activate()  # 31.99 images each, by now
            tickets = [Reservation(queue)]
            tickets[0].activate()
            with pytest.raises(QueueFull):
                queue.check_room()
            for ticket in (first, second, *tickets):
                ticket.release()
                ticket.activate()
            assert queue.reserved == 0

    asyncio.run(main())


def test_a_full_queue_says_how_long_it_takes_by_its_speed():
    def slow(rows: Batch) -> Batch:
        time.sleep(0.1)
        return {"y": rows["x"]}

    async def main() -> None:
        with scheduler(limit=64) as (queue, _):
            first = job(slow, 1)  # 0.1 s a row
            queue.submit(first)
            await first.future
            running, waiting = job(slow, 1), job(slow, *range(64))
            queue.submit(running)
            while queue.waiting:
                await asyncio.sleep(0.001)
            queue.submit(waiting)
            with pytest.raises(QueueFull) as full:
                queue.submit(job(slow, *range(15)))
            assert full.value.retry_after == 2

    asyncio.run(main())


def test_dropped_and_late_jobs_are_not_run():
    async def main() -> None:
        gate = Gate()
        with scheduler() as (queue, notes):
            running = job(gate, 1)
            queue.submit(running)
            await entered(gate)
            left = job(gate, 2, 3)
            late = job(gate, 4, deadline=time.perf_counter() + 0.02)
            good = job(gate, 5)
            for each in (left, late, good):
                queue.submit(each)
            queue.drop(left, "disconnect")
            queue.drop(left, "disconnect")
            assert queue.waiting == 2
            await asyncio.sleep(0.05)
            gate.open.set()
            assert await good.future == [10]
            assert gate.seen == [[1], [5]]
            assert notes.gone == {"disconnect": 2, "deadline": 1}
            assert "DeadlinePassed" in repr(late.future.exception())
            queue.drop(good, "disconnect")
            assert notes.gone["disconnect"] == 2

    asyncio.run(main())


def test_an_error_of_the_graph_is_its_jobs_own_and_the_next_one_runs():
    def broken(rows: Batch) -> Batch:
        raise ValueError("broken")

    async def main() -> None:
        gate = Gate()
        gate.open.set()
        with scheduler() as (queue, notes):
            bad = job(broken, *range(3 * MAX_BATCH))
            queue.submit(bad)
            with pytest.raises(ValueError, match="broken"):
                await bad.future
            good = job(gate, 1)
            queue.submit(good)
            assert await good.future == [2]
            assert queue.waiting == 0
            assert notes.gone["failed"] == 2 * MAX_BATCH

    asyncio.run(main())


def test_a_result_that_cannot_be_made_fails_its_job_alone():
    async def main() -> None:
        gate = Gate()
        with scheduler() as (queue, _):
            blocking, bad, good = job(gate, 0), job(gate, 1), job(gate, 2)
            bad.then = lambda outputs: outputs["nothing"]
            queue.submit(blocking)
            await entered(gate)
            queue.submit(bad)
            queue.submit(good)
            gate.open.set()
            assert await good.future == [4]
            with pytest.raises(KeyError):
                await bad.future

    asyncio.run(main())


def test_closing_answers_what_waits_and_lets_what_runs_end():
    async def main() -> None:
        gate = Gate()
        with scheduler() as (queue, notes):
            running, waiting = job(gate, 1), job(gate, 2)
            queue.submit(running)
            await entered(gate)
            queue.submit(waiting)
            closing = asyncio.create_task(asyncio.to_thread(queue.close))
            with pytest.raises(QueueClosed):
                await waiting.future
            gate.open.set()
            await closing
            assert await running.future == [2]
            assert notes.gone == {"closed": 1}
            with pytest.raises(QueueClosed):
                queue.submit(job(gate, 3))

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_killed_is_replaced_and_what_it_ran_is_answered():
    async def main() -> None:
        gate = Gate()
        with scheduler() as (queue, _):
            victim = job(gate, 1)
            queue.submit(victim)
            await entered(gate)
            (thread,) = (each for each in threading.enumerate() if each.name == "toy-0")
            killed = ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
            )
            assert killed == 1
            gate.open.set()
            with pytest.raises(RuntimeError, match="ended"):
                await victim.future
            good = job(gate, 2)
            queue.submit(good)
            assert await good.future == [4]
            thread.join()
            assert queue.alive

    asyncio.run(main())


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
