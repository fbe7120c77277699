"""Requests at any rate from one process: no task and no future for each, only what the kernel asks for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import cast

from tests.soak.client import Address, end_of_answer

TICK = 0.001
"""Seconds between two looks at what is due."""


class Volley:
    """Connections that ask; ``statuses`` counts the answers since it was cleared, 0 those that never came."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.statuses: Counter[int] = Counter()
        self.free: deque[_Connection] = deque()
        self.busy = 0
        self.again = False
        """Whether who is answered asks again at once."""

    async def open(self, address: Address, number: int) -> None:
        """Open connections."""
        loop = asyncio.get_running_loop()
        for _ in range(number):
            _, connection = await loop.create_connection(lambda: _Connection(self), *address)
            self.free.append(connection)

    async def freely(self, seconds: float) -> float:
        """Answers 200 per second when each connection asks again as soon as it is answered."""
        self.statuses.clear()
        self.again = True
        begin = time.perf_counter()
        while self.free:
            self.free.popleft().ask()
        await asyncio.sleep(seconds)
        rate = self.statuses[200] / (time.perf_counter() - begin)
        self.again = False
        await self.settle()
        return rate

    async def at(self, rate: float, seconds: float) -> tuple[float, float]:
        """Ask so often a second, if a connection is free; gives requests and answers 200 per second."""
        self.statuses.clear()
        begin, sent, due = time.perf_counter(), 0, 0
        while (passed := time.perf_counter() - begin) < seconds:
            for _ in range(int(rate * passed) - due):
                if self.free:
                    self.free.popleft().ask()
                    sent += 1
            due = int(rate * passed)
            await asyncio.sleep(TICK)
        return sent / passed, self.statuses[200] / passed

    async def settle(self) -> None:
        """Wait until all is answered."""
        while self.busy:
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """Close the connections."""
        for connection in self.free:
            connection.transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, volley: Volley) -> None:
        self._volley = volley
        self._data = bytearray()
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        self._asked = True
        self._volley.busy += 1
        self.transport.write(next(self._volley.requests))

    def data_received(self, data: bytes) -> None:
        self._data += data
        if (end := end_of_answer(self._data)) is None:
            return
        self._answered(int(self._data[9:12]))
        del self._data[: end[1]]
        if self._volley.again:
            self.ask()
        else:
            self._volley.free.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self._asked:
            self._answered(0)
        elif self in self._volley.free:
            self._volley.free.remove(self)

    def _answered(self, status: int) -> None:
        self._asked = False
        self._volley.busy -= 1
        self._volley.statuses[status] += 1
