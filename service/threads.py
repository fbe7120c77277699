"""Where work is done: short work in the event loop, long work in a thread, as everything else waits for the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import to_thread

# Shorter work is done before a thread would have begun, and delays other requests less than anybody notices.
MAX_LOOP_MICROSECONDS = 500.0

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


async def in_thread(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """The result of long work."""
    return await to_thread.run_sync(work, *arguments)


async def in_thread_if_long(
    microseconds: float, work: Callable[[*Arguments], Result], *arguments: *Arguments
) -> Result:
    """The result of ``work`` that takes about that long."""
    return work(*arguments) if microseconds <= MAX_LOOP_MICROSECONDS else await in_thread(work, *arguments)
