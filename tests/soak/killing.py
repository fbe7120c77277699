"""kill -9 of one worker of two: only the requests that it was answering fail."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from tests.service.processes import Running, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, Connection, Lost, request
from tests.soak.figures import Figure, exactly, told
from tests.soak.load import single, steadily

RATE, CONNECTIONS, PATIENCE = 50, 16, 30
FLAGS = ("--device", "cpu", "--workers", "2", "--cache-bytes", "0")
WALK = request("POST", "/interpolate", {"from": {"shape": "heart"}, "to": {"scale": 0}, "steps": 24})
"""Takes longer than others, so that some are being answered."""


def run(kills: int, seconds: float) -> Iterator[Figure]:
    """So many kills, with so many seconds of load before each and after the worker that takes its place is there.

    Every other victim is held by SIGSTOP before, for up to 0.2 s, so that it has requests on its hands.
    """
    with running(DSPRITES, *FLAGS) as service:
        killing = Killing(service)
        asyncio.run(killing.run(kills, seconds))
    yield told("requests sent, and answered 200", f"{killing.seen.total():,}, {killing.seen['200']:,}")
    yield told("requests of the workers killed, which failed", f"{killing.seen['its own']}")
    yield exactly("other requests that failed", killing.seen.total() - killing.seen["200"] - killing.seen["its own"], 0)
    yield exactly("workers killed and replaced", killing.replaced, kills)
    yield from (told("failure", fault) for fault in killing.faults[:5])


class Killing:
    """A service whose workers are killed under load."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.client = Client(service.address)
        self.draw = random.Random(0)
        self.asked = cycle([*islice(single(), 6), WALK])
        self.own: set[int] = set()
        """Ports of clients that were connected to a worker when it was killed."""
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []
        self.replaced = 0

    async def run(self, kills: int, seconds: float) -> None:
        """Kill workers while requests come."""
        killing = asyncio.create_task(self._kill(kills, seconds))
        await asyncio.gather(*await steadily(RATE, self._ask, lambda passed: not killing.done()))
        await killing
        self.client.close()

    async def _ask(self) -> None:
        try:
            answer = await self.client.ask(next(self.asked))
            self.seen[str(answer.status)] += 1
        except Lost as lost:
            await asyncio.sleep(1)  # until it is known whose it was
            self.seen["its own" if lost.port in self.own else f"Lost, {lost}"] += 1
        except OSError as error:
            self.seen[f"{type(error).__name__}, {error}"] += 1

    async def _kill(self, kills: int, seconds: float) -> None:
        for index in range(kills):
            await self.client.prepare(CONNECTIONS)
            await asyncio.sleep(seconds)
            victim = self.draw.choice(self.service.workers)
            os.kill(victim, signal.SIGSTOP)
            await asyncio.sleep(self.draw.uniform(0, 0.2) * (index % 2))
            self.own |= clients(victim, self.service.address[1])
            os.kill(victim, signal.SIGKILL)
            self.replaced += await self._replaced(victim)

    async def _replaced(self, victim: int) -> bool:
        """Whether another worker is there in time, and answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            here = [pid for pid in self.service.workers if pid != victim]
            visitor = await Connection.open(self.service.address)
            await asyncio.sleep(0.05)
            if len(here) == 2 and clients(here[-1], self.service.address[1]):
                return True
            visitor.leave()
        return False


def clients(pid: int, port: int) -> set[int]:
    """Ports of the clients that a process serves at its own port (proc(5))."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(field.split(":")[1], 16) for field in fields[1:3])
        if here == port and there and f"socket:[{fields[9]}]" in sockets:
            found.add(there)
    return found
