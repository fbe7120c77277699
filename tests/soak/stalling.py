"""Clients that are half open, and clients that are slow: others are answered as ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from service.server.protocol import HEAD_SECONDS
from tests.service.processes import Running, memory, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, Connection, request
from tests.soak.figures import Figure, at_most, exactly, told
from tests.soak.questions import VALUES, questions

DRIP, PAUSE = 0.2, 0.02
"""Seconds from one byte of a slow client to the next, and from one good request to the next."""
SENT = request("POST", "/decode", {"attributes": VALUES[0]})
HALVES = (b"", SENT[:10], SENT[:50])
LARGE = request("POST", "/decode", {"attributes": VALUES * 40}, accept="application/x-npy")
"""Its answer is a megabyte."""


def run(half_open: int, slow: int, seconds: float) -> Iterator[Figure]:
    """So many clients of each kind for so many seconds; a third of the slow ones doesn't take its answers."""
    with running(DSPRITES, "--device", "cpu") as service:
        times, wrong, closed, grown = asyncio.run(_stall(service, half_open, slow, seconds))
    times.sort()
    yield told("good requests beside them, median and 99 %", f"{_ms(times, 0.5)}, {_ms(times, 0.99)}")
    yield at_most("the slowest", round(times[-1], 3), 1, "s")
    yield exactly("answered wrong", wrong, 0)
    if seconds > HEAD_SECONDS + 2:
        yield exactly("half-open clients that were cut off", closed, half_open)
    yield told("resident memory, at most more than before", f"{grown / 2**20:.0f} MB")


async def _stall(service: Running, half_open: int, slow: int, seconds: float) -> tuple[list[float], int, int, int]:
    """Seconds of good requests, how many were wrong, how many half-open clients were cut off, bytes of memory."""
    client, asked = Client(service.address), questions([DSPRITES])
    for question in asked * 10:
        await client.ask(question.request)
    before, highest, wrong, times = memory(service.process.pid), 0, 0, []
    async with _half_open(service, half_open) as halves, _slow(service, slow):
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            question = asked[len(times) % len(asked)]
            wrong += question.judge(await client.ask(question.request)) != ""
            times.append(time.perf_counter() - begin)
            highest = max(highest, memory(service.process.pid) - before)
            await asyncio.sleep(PAUSE)
        closed = sum(not each.usable for each in halves)
    client.close()
    return times, wrong, closed, highest


@asynccontextmanager
async def _half_open(service: Running, number: int) -> AsyncIterator[list[Connection]]:
    """Clients that have sent nothing, or the beginning of a head, and send no more."""
    opened = [await Connection.open(service.address) for _ in range(number)]
    for index, connection in enumerate(opened):
        connection.transport.write(HALVES[index % len(HALVES)])
    yield opened
    for connection in opened:
        connection.leave()


@asynccontextmanager
async def _slow(service: Running, number: int) -> AsyncIterator[None]:
    """Clients that drip heads and bodies, and such that take none of a large answer."""
    tasks = [asyncio.create_task(_drip(service, (SENT[:1], SENT[:-30])[index % 2])) for index in range(number * 2 // 3)]
    readers = [await asyncio.open_connection(*service.address, limit=1) for _ in range(number - len(tasks))]
    for reader, writer in readers:  # one after the other, as all together would be too much for the queue
        writer.write(LARGE)
        await reader.readexactly(1)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _, writer in readers:
        writer.transport.abort()


async def _drip(service: Running, at_once: bytes) -> None:
    """Send the beginning at once, and the rest byte by byte; then from the beginning, as often as it is cut off."""
    while True:
        _, writer = await asyncio.open_connection(*service.address)
        with suppress(OSError):
            writer.write(at_once)
            for byte in SENT[len(at_once) :]:
                await asyncio.sleep(DRIP)
                writer.write(bytes([byte]))
                await writer.drain()
        writer.close()


def _ms(times: list[float], share: float) -> str:
    return f"{1000 * times[int(share * (len(times) - 1))]:.0f} ms"
