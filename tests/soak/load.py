"""Load: as much as a service takes, or so much whatever it takes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from itertools import cycle
from typing import Any

from tests.soak.bundles import DSPRITES
from tests.soak.client import Client
from tests.soak.questions import questions

TICK = 0.002
"""Seconds between two looks at what is due."""


def single() -> Iterator[bytes]:
    """Requests of one image each, of every kind in turn, without end."""
    return cycle([question.request for question in questions([DSPRITES]) if question.images == 1])


async def most(client: Client, asked: Iterator[bytes], connections: int, seconds: float) -> float:
    """Answers 200 per second when each connection asks again as soon as it is answered."""
    statuses: Counter[int] = Counter()
    begin = time.perf_counter()

    async def ask() -> None:
        while time.perf_counter() < begin + seconds:
            statuses[(await client.ask(next(asked))).status] += 1

    await asyncio.gather(*(ask() for _ in range(connections)))
    return statuses[200] / (time.perf_counter() - begin)


async def steadily(
    rate: float, ask: Callable[[], Coroutine[Any, Any, None]], go_on: Callable[[float], bool]
) -> set[asyncio.Task[None]]:
    """Begin ``ask`` so many times a second while ``go_on`` says so of the seconds that have passed.

    Gives those that have not ended. It does not wait for answers, so that a slow service is asked no less.
    """
    begin, count = time.perf_counter(), 0
    tasks: set[asyncio.Task[None]] = set()
    while go_on(passed := time.perf_counter() - begin):
        while count < rate * passed:
            count += 1
            task = asyncio.create_task(ask())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(TICK)
    return tasks
