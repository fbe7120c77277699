"""Bombs are refused at once and without memory, and the service is as it was."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

from tests.service.processes import Running, memory, running
from tests.soak.bombs import BOMBS, LARGEST
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client
from tests.soak.figures import Figure, exactly, told
from tests.soak.questions import Question, questions

WARM = 200

MILLISECONDS, MEGABYTES = 100, 20


def run(kinds: Iterable[str], tries: int, apart: bool, judged: bool = True) -> Iterator[Figure]:
    """Each kind of bomb so many times; ``apart``: a service of its own for each, so that no memory is there before.

    Then, if apart, what images cost that are as large as may be. ``judged``: whether times are, for which the machine
    must be quiet.
    """
    asked = questions([DSPRITES])
    kinds = [*kinds, *(LARGEST if apart else ())]
    wrong = 0
    for group in [[kind] for kind in kinds] if apart else [kinds]:
        with running(DSPRITES, "--device", "cpu") as service:
            bombing = Bombing(service, asked)
            yield from asyncio.run(bombing.run(group, tries, MILLISECONDS if judged else None))
            wrong += bombing.wrong
    yield exactly("good requests after each that were answered wrong", wrong, 0)


class Bombing:
    """A service that is sent bombs."""

    def __init__(self, service: Running, asked: list[Question]) -> None:
        self.client = Client(service.address)
        self.pid = service.process.pid
        self.asked = cycle(asked)
        self.wrong = 0

    async def run(self, kinds: list[str], tries: int, most: float | None) -> list[Figure]:
        """A figure of each kind."""
        await self._ask(WARM)
        figures = []
        for kind in kinds:
            bomb = (BOMBS | LARGEST)[kind]()
            seen = [await self._drop(bomb) for _ in range(tries)]
            figures.append(_figure(kind, len(bomb), seen, most))
            await self._ask(10)
        self.client.close()
        return figures

    async def _ask(self, number: int) -> None:
        for question in islice(self.asked, number):
            self.wrong += question.judge(await self.client.ask(question.request)) != ""

    async def _drop(self, bomb: bytes) -> tuple[int, float, int]:
        """Status, seconds, and by how many bytes the service's resident memory grew at its peak."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak is the present size now (proc(5))
        before, begin = memory(self.pid), time.perf_counter()
        answer = await self.client.ask(bomb)
        return answer.status, time.perf_counter() - begin, _peak(self.pid) - before


def _figure(kind: str, size: int, seen: list[tuple[int, float, int]], most: float | None) -> Figure:
    """The status of requests of one kind, their median time, and the most memory that one took.

    ``most``: how many milliseconds may pass, if that is judged.
    """
    statuses, times, sizes = zip(*seen, strict=True)
    milliseconds, megabytes = 1000 * statistics.median(times), max(sizes) / 2**20
    what = f"{kind}, {size / 1024:,.1f} KB"
    value = f"{', '.join(map(str, sorted({*statuses})))}, {milliseconds:.0f} ms, {megabytes:.1f} MB"
    if kind in LARGEST:
        return told(f"no bomb, but as large as may be: {what}", value)
    refused = all(400 <= status < 500 for status in statuses)
    held = refused and (most is None or milliseconds < most) and megabytes <= MEGABYTES
    limits = ["4xx", *([] if most is None else [f"{most:g} ms"]), f"{MEGABYTES} MB"]
    return Figure(what, value, ", ".join(limits), held)


def _peak(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found.group(1)) * 1024
