"""Requests that nobody waits for any more, in a queue that is longer than their patience: they are not run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from itertools import cycle, islice
from typing import Any, Literal, NamedTuple

from tests.service.processes import running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Address, Client, Connection
from tests.soak.figures import Figure, at_least, at_most, exactly, spread, told
from tests.soak.metrics import Metrics
from tests.soak.questions import questions
from tests.soak.queue import Queue

DEADLINE, PATIENCE = 50, 0.03
"""Milliseconds of a deadline; seconds after which clients leave."""
AT_ONCE = 20
WAITS = (0.2, 0.5, 1.0, 4.0)
"""Seconds that the queue takes at least, and as many as it is made to take where a busy machine is slower than that."""
DROPPED, RUN = "spritevae_dropped_images_total", "spritevae_batch_images_sum"
FLAGS = ("--device", "cpu", "--batches", "1", "--max-queue", "65536", "--cache-bytes", "0")


def run(deadlines: int, leavers: int) -> Iterator[Figure]:
    """So many requests with a deadline, and so many clients that leave, half of them with a reset."""
    with running(DSPRITES, *FLAGS) as service:
        yield from asyncio.run(_run(service.address, deadlines, leavers))
        yield exactly("errors in the log", sum('"error"' in line for line in service.log), 0)


async def _run(address: Address, deadlines: int, leavers: int) -> list[Figure]:
    client = Client(address)
    queue = Queue(client)
    late = await _unrun(client, queue, lambda: _late(client, deadlines), "deadline")
    gone = await _unrun(client, queue, lambda: _gone(address, leavers), "disconnect")
    client.close()
    statuses, seconds = late.seen
    return [
        told("seconds in the queue for those who do wait", spread(late.waits)),
        exactly(f"requests with {DEADLINE} ms to live that were answered 504", statuses[504], deadlines),
        told("after seconds", spread(seconds)),
        exactly("of their images, not run by /metrics", late.dropped, deadlines),
        exactly("of their images, run", late.run, 0),
        at_least("clients that left: images not run, by /metrics, in %", 100 * gone.dropped / leavers, 95),
        at_most("images run all the same, in %", 100 * gone.run / leavers, 5),
    ]


class Unrun(NamedTuple):
    """What became of requests whose time in the queue was too long."""

    seen: Any
    dropped: int
    """Images that were taken out of the queue."""
    run: int
    """Images that were run in vain."""
    waits: list[float]


async def _unrun(
    client: Client, queue: Queue, ask: Callable[[], Coroutine[Any, Any, Any]], reason: Literal["deadline", "disconnect"]
) -> Unrun:
    """Ask while the queue is long: again, with a longer one, should a busy machine need as long to see who has left."""
    for seconds in WAITS:
        before, answered = await Metrics.of(client), queue.images
        async with queue.long(seconds):
            seen = await ask()
            waits = list(queue.waits)
        after = await Metrics.of(client)
        dropped = after.total(DROPPED, reason=reason) - before.total(DROPPED, reason=reason)
        run = after.total(RUN) - before.total(RUN) - (queue.images - answered)
        if min(waits) >= WAITS[0] and not run:
            break
    return Unrun(seen, int(dropped), int(run), waits)


def _single() -> Iterator[bytes]:
    """Requests of one image each, of every kind in turn."""
    return cycle(question.request for question in questions([DSPRITES]) if question.images == 1)


async def _late(client: Client, number: int) -> tuple[Counter[int], list[float]]:
    """Statuses and seconds of requests with a deadline, some at once."""
    statuses: Counter[int] = Counter()
    seconds = []
    waiting = islice(_single(), number)

    async def ask() -> None:
        for plain in waiting:
            begin = time.perf_counter()
            answer = await client.ask(plain.replace(b"\r\n", b"\r\nx-request-timeout-ms: %d\r\n" % DEADLINE, 1))
            seconds.append(time.perf_counter() - begin)
            statuses[answer.status] += 1

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return statuses, seconds


async def _gone(address: Address, number: int) -> None:
    """Clients that ask and leave, some at once."""
    waiting = islice(enumerate(_single()), number)

    async def ask() -> None:
        for index, sent in waiting:
            connection = await Connection.open(address)
            asking = asyncio.create_task(connection.ask(sent))
            await asyncio.sleep(PATIENCE)
            connection.leave(reset=bool(index % 2))
            await asyncio.gather(asking, return_exceptions=True)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
