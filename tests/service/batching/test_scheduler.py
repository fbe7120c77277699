from __future__ import annotations

import asyncio
import ctypes
import threading
import time

import numpy as np
import pytest

from service.batching.jobs import MAX_BATCH, Batch, QueueClosed, QueueFull, Reservation
from tests.service.batching.toy_jobs import Gate, entered, job, scheduler


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
