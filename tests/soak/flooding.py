"""Clients that never stop sending what belongs to no body: memory stays, and others are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from tests.service.processes import Running, memory, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Address, Client
from tests.soak.figures import Figure
from tests.soak.load import single

MEGABYTE, SECONDS = 2**20, 5
GET, POST = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n", b"POST /decode HTTP/1.1\r\nhost: localhost\r\n"
CHUNKED = POST + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
FLOODS: dict[str, tuple[bytes, bytes]] = {
    "small headers": (GET, b"a: b\r\n" * 10_000),
    "one header": (GET + b"a: ", b"x" * 60_000),
    "one path": (b"GET /", b"x" * 60_000),
    "small trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000),
    "an extension of a chunk": (CHUNKED + b"1;a=", b"x" * 60_000),
    "chunks of a byte": (CHUNKED, b"1\r\n \r\n" * 10_000),
    "requests, without waiting for answers": (b"", (GET + b"\r\n") * 2000),
}
"""What is sent once, and what is sent again and again."""


def run(kinds: Iterable[str], megabytes: int) -> Iterator[Figure]:
    """So many megabytes of each, or as many as are taken in five seconds, to a service of its own."""
    for kind in kinds:
        with running(DSPRITES, "--device", "cpu") as service:
            sent, grown, slowest = asyncio.run(_flood(service, *FLOODS[kind], megabytes * MEGABYTE))
        value = f"{sent / MEGABYTE:.1f} MB sent, {grown / MEGABYTE:.0f} MB more memory, {slowest:.2f} s"
        yield Figure(f"endless: {kind}", value, "50 MB, 1 s", grown <= 50 * MEGABYTE and slowest < 1)


async def _flood(service: Running, head: bytes, part: bytes, most: int) -> tuple[int, int, float]:
    """Bytes sent, by how many the memory grew at most, and seconds that the slowest good request took meanwhile."""
    client, asked = Client(service.address), single()
    for _ in range(100):
        await client.ask(next(asked))
    sent = [0]
    before, begin, slowest, highest = memory(service.process.pid), time.perf_counter(), 0.0, 0
    sending = asyncio.create_task(_send(service.address, head, part, most, sent))
    while not sending.done() and time.perf_counter() < begin + SECONDS:
        asking = time.perf_counter()
        await client.ask(next(asked))
        slowest = max(slowest, time.perf_counter() - asking)
        highest = max(highest, memory(service.process.pid) - before)
        await asyncio.sleep(0.01)
    sending.cancel()
    client.close()
    return sent[0], highest, slowest


async def _send(address: Address, head: bytes, part: bytes, most: int, sent: list[int]) -> None:
    """Send until it is enough, or the connection is closed, and count the bytes."""
    _, writer = await asyncio.open_connection(*address)
    with suppress(OSError):
        writer.write(head)
        while sent[0] < most:
            writer.write(part)
            await writer.drain()
            sent[0] += len(part)
        await asyncio.sleep(0.5)
    writer.close()
