"""SIGTERM under load: whatever was sent to a service that said it was ready is answered."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import uvloop

from tests.service.processes import Running, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, Lost, request
from tests.soak.figures import Figure, exactly, spread, told
from tests.soak.load import most, single, steadily

SHARE = 0.8
"""Of what it takes at most."""
LOOK = 0.1
"""Seconds between two looks of a load balancer."""
FLAGS = ("--device", "cpu", "--cache-bytes", "0", "--drain-seconds", "1")
READY = request("GET", "/health/ready")


def run(times: int, seconds: float, workers: Sequence[str] = ("1", "2"), blind: int = 1) -> Iterator[Figure]:
    """So many SIGTERMs to services of so many workers, each after so many seconds of load.

    Then ``blind`` more, for clients that don't look whether it is ready.
    """
    for number in workers:
        seen, loads = _seen(number, times, seconds, looks=True)
        sent, answered, ended = seen.total(), seen.pop("200"), seen.pop("exit 0")
        yield told(f"{number} worker(s): SIGTERMs ({times}) at requests/s", spread(loads))
        yield exactly("requests sent until it was seen not to be ready, answered 200", answered, sent - times)
        yield exactly("exits with code 0", ended, times)
        yield from (told("otherwise", f"{what}: {count}") for what, count in seen.items())
        if blind:
            seen, _ = _seen(number, blind, seconds, looks=False)
            ends = ", ".join(f"{what}: {count:,}" for what, count in seen.items())
            yield told(f"clients that don't look, until one is refused ({blind} SIGTERMs)", ends)


def _seen(workers: str, times: int, seconds: float, *, looks: bool) -> tuple[Counter[str], list[float]]:
    """What became of all requests and processes, and requests per second."""
    seen: Counter[str] = Counter()
    rates = []
    for _ in range(times):
        with running(DSPRITES, *FLAGS, "--workers", workers) as service:
            rates.append(uvloop.run(_end(service, seconds, seen, looks=looks)))
            seen[f"exit {service.process.wait(20)}"] += 1
    return seen, rates


async def _end(service: Running, seconds: float, seen: Counter[str], *, looks: bool) -> float:
    """Load a service, and tell it to end; gives requests per second."""
    client, asked = Client(service.address), single()
    rate = SHARE * await most(client, asked, 16, seconds)

    async def ask() -> None:
        try:
            seen[str((await client.ask(next(asked))).status)] += 1
        except ConnectionRefusedError:
            seen["refused"] += 1
        except (Lost, OSError) as error:
            seen[f"{type(error).__name__}, {error}"] += 1

    watching = asyncio.create_task(_watch(service))
    before = seen["refused"]
    ended = watching.done if looks else lambda: seen["refused"] > before
    asyncio.get_running_loop().call_later(seconds, service.process.send_signal, signal.SIGTERM)
    await asyncio.gather(*await steadily(rate, ask, lambda passed: not ended()))
    return rate


async def _watch(service: Running) -> None:
    """Return once the service is not ready any more, as a load balancer sees it."""
    client = Client(service.address)
    with suppress(Lost, OSError):
        while (await client.ask(READY)).status == 200:
            await asyncio.sleep(LOOK)
