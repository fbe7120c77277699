"""A fuzzer of image files: whatever files clients send, others are answered at once, and memory comes back."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.service.processes import Running, memory, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, Lost, request
from tests.soak.figures import Figure, at_most, exactly, told
from tests.soak.structures import VALID, File, made, valid
from tests.soak.watching import Seen, watching

AT_ONCE = 4
"""Clients that send files at once."""
HANG = 16.0
"""Seconds within which a file is answered: what may be decoded before it on two cores, and itself, take ten."""
WARM, SETTLE = 0.2, 3.0
"""The share of the time before memory is looked at first; seconds after which it is."""
MILLISECONDS, READY_MILLISECONDS, MEGABYTES = 250, 100, 20


def run(seconds: float, seed: int = 0, judged: bool = True, most: float = MEGABYTES) -> Iterator[Figure]:
    """Send files for so long. ``judged``: whether times are, for which the machine must be quiet.

    ``most``: megabytes by which memory may grow.
    """
    with running(DSPRITES, "--device", "cpu") as service:
        picturing = Picturing(service, seed)
        asyncio.run(picturing.warm())
        with watching(service.address) as warm:
            asyncio.run(picturing.run(seconds * WARM))
        time.sleep(SETTLE)
        before = _memory(service)
        with watching(service.address) as seen:
            asyncio.run(picturing.run(seconds * (1 - WARM)))
        time.sleep(SETTLE)
        grown = _memory(service) - before
        errors = sum('"level": "error"' in line or "Traceback" in line for line in service.log)
    statuses = ", ".join(f"{status}: {number:,}" for status, number in sorted(picturing.statuses.items()))
    yield told("files", f"{picturing.statuses.total():,}, seed {seed}")
    yield told("answers", statuses)
    yield exactly(f"answered 5xx, or not within {HANG:.0f} s", len(picturing.faults), 0)
    yield told("slowest", f"{picturing.slowest:.1f} s: {picturing.slow.made}" if picturing.slow else "none")
    yield from _others(warm, seen, judged)
    yield at_most("resident memory of all processes, after less before", round(grown / 2**20, 1), most, "MB")
    yield exactly("errors in the log", errors, 0)
    yield from (told("fault", fault) for fault in picturing.faults[:10])


def _others(warm: Seen, seen: Seen, judged: bool) -> Iterator[Figure]:
    for what, value, limit in (
        ("slowest GET /decode of another client", max(warm.decode, seen.decode), MILLISECONDS),
        ("slowest /health/ready", max(warm.ready, seen.ready), READY_MILLISECONDS),
    ):
        yield at_most(what, round(value), limit, "ms") if judged else told(what, f"{value:.0f} ms")
    yield exactly("of these wrong", len(warm.faults) + len(seen.faults), 0)


class Picturing:
    """Clients that send files to a service."""

    def __init__(self, service: Running, seed: int) -> None:
        self.statuses: Counter[str] = Counter()
        self.faults: list[str] = []
        self.slowest = 0.0
        self.slow: File | None = None
        self._address = service.address
        self._seed = seed
        self._numbers = count()

    async def warm(self) -> None:
        """Send valid files of every kind, some at once, so that all processes are there."""
        client = Client(self._address)
        for form, name in VALID:
            await asyncio.gather(*(self._send(client, File(form, valid(form, name), name)) for _ in range(AT_ONCE)))
        client.close()
        assert {*self.statuses} <= {"200", "413"}, self.statuses  # some scans are too many
        self.statuses.clear()
        self.slowest = 0.0

    async def run(self, seconds: float) -> None:
        """Some clients at once, each with one file after the other."""
        end = time.monotonic() + seconds

        client = Client(self._address)

        async def send() -> None:
            while time.monotonic() < end:
                number = next(self._numbers)
                file = await asyncio.to_thread(made, self._seed, number)
                status = await self._send(client, file)
                if status.startswith("5") or not status.isdigit():
                    self.faults.append(f"file {number} ({file.made}, {len(file.data)} bytes): {status}")

        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        client.close()

    async def _send(self, client: Client, file: File) -> str:
        begin = time.monotonic()
        try:
            async with asyncio.timeout(HANG):
                body = request("POST", "/encode", file.data, content_type=f"image/{file.form.lower()}")
                status = str((await client.ask(body)).status)
        except (Lost, OSError, TimeoutError) as error:
            status = type(error).__name__
        self.statuses[status] += 1
        if (took := time.monotonic() - begin) > self.slowest:
            self.slowest, self.slow = took, file
        return status


def _memory(service: Running) -> int:
    """Resident bytes of the service and its children."""
    tasks = Path(f"/proc/{service.process.pid}/task").iterdir()
    children = [pid for task in tasks for pid in (task / "children").read_text().split()]
    return memory(service.process.pid) + sum(memory(int(pid)) for pid in children)
