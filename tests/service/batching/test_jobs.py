from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import numpy as np
import pytest

from service.batching.jobs import (
    Job,
    Outcome,
    QueueFull,
    Reservation,
    Slice,
    completed,
    concatenated_inputs,
    deliver,
    merged_outputs,
    take_batch,
)


def job(count: int, future: Any = None, **more: Any) -> Job:
    inputs = {"x": np.arange(count, dtype=np.float32)[:, None]}
    return Job(lambda batch: batch, inputs, count, lambda outputs: outputs["x"].ravel().tolist(), future, **more)


def test_a_batch_takes_jobs_in_turn_and_splits_the_last_one():
    queue = deque([job(2), job(5)])
    first, second = queue
    assert take_batch(queue, 4) == [Slice(first, 0, 2), Slice(second, 0, 2)]
    assert (first.waiting, second.waiting, list(queue)) == (0, 3, [second])
    assert take_batch(queue, 64) == [Slice(second, 2, 5)]
    assert not queue
    assert take_batch(queue, 64) == []


def test_inputs_of_a_batch_are_the_rows_of_its_slices():
    one, other = job(3), job(5)
    batch = [Slice(one, 1, 3), Slice(other, 0, 2)]
    np.testing.assert_array_equal(concatenated_inputs(batch)["x"], [[1], [2], [0], [1]])
    assert [piece.rows for piece in batch] == [2, 2]
    assert np.shares_memory(concatenated_inputs([Slice(other, 1, 4)])["x"], other.inputs["x"])  # nothing is copied


def test_parts_are_put_together_in_the_order_of_rows_whenever_they_came():
    split = job(5)
    split.parts = [(start, {"x": split.inputs["x"][start : start + 2]}) for start in (4, 0, 2)]
    np.testing.assert_array_equal(merged_outputs(split)["x"], split.inputs["x"])


def test_a_result_that_can_not_be_made_is_an_error_of_its_job_alone():
    good, bad = job(2), job(2)
    bad.then = lambda outputs: outputs["nothing"]
    assert completed(good, good.inputs) == Outcome(good, [0, 1], None)
    assert isinstance(completed(bad, bad.inputs).error, KeyError)
    assert bad.phases["encoding"] >= 0


def test_outcomes_reach_their_futures_from_the_same_and_from_another_thread():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there, gone = (job(1, loop.create_future()) for _ in range(3))
        gone.future.cancel()
        deliver([Outcome(here, 1, None), Outcome(gone, 2, None)])
        assert here.future.done()
        await asyncio.to_thread(deliver, [Outcome(there, None, ValueError("broken"))])
        with pytest.raises(ValueError, match="broken"):
            await there.future

    asyncio.run(main())


def test_nobody_waits_in_a_loop_that_is_closed():
    loop = asyncio.new_event_loop()
    left = job(1, loop.create_future())
    loop.close()
    deliver([Outcome(left, 1, None)])


class Queue:
    reserved = 0


def test_a_reservation_counts_from_its_arrival_until_it_is_released():
    queue = Queue()
    reservation = Reservation(queue)
    for step, reserved in (("activate", 1), ("activate", 1), ("release", 0), ("release", 0), ("activate", 0)):
        getattr(reservation, step)()
        assert queue.reserved == reserved


def test_a_request_that_never_arrived_held_no_room():
    queue = Queue()
    Reservation(queue).release()
    assert queue.reserved == 0


@pytest.mark.parametrize(("seconds", "whole"), [(0, 1), (0.2, 1), (1.1, 2)])
def test_a_full_queue_says_in_how_many_whole_seconds_there_is_room(seconds: float, whole: int):
    assert QueueFull(1, 2, seconds).retry_after == whole
