from __future__ import annotations

import asyncio
import threading

import pytest

from service.threads import MAX_LOOP_MICROSECONDS, in_thread, in_thread_if_long


@pytest.mark.parametrize(
    ("microseconds", "moves"), [(0, False), (MAX_LOOP_MICROSECONDS, False), (MAX_LOOP_MICROSECONDS + 1, True)]
)
def test_only_long_work_changes_the_thread(microseconds: float, moves: bool):
    thread = asyncio.run(in_thread_if_long(microseconds, threading.get_ident))
    assert (thread != threading.get_ident()) is moves


def test_the_event_loop_runs_on_while_a_thread_works():
    done = threading.Event()

    async def main() -> None:
        work = asyncio.create_task(in_thread(lambda: done.wait(60)))
        await asyncio.sleep(0)
        done.set()
        assert await work

    asyncio.run(main())


@pytest.mark.parametrize("microseconds", [0, 2 * MAX_LOOP_MICROSECONDS])
def test_errors_come_back_from_either_place(microseconds: float):
    def fail() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        asyncio.run(in_thread_if_long(microseconds, fail))
