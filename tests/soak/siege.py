"""All attacks at once, from many connections, beside a steady stream of good requests: none of these fails or waits."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from unittest.mock import patch

from tests.service.processes import Running, memory, running
from tests.soak.attacks import ATTACKS
from tests.soak.bundles import DSPRITES
from tests.soak.client import KEY, Client, Lost, request
from tests.soak.figures import Figure, at_most, exactly, told
from tests.soak.load import steadily
from tests.soak.questions import Question, questions

RATE, MOST_SECONDS = 50, 1
"""Good requests a second, and how long one may take."""
MEMORY = 2 * 2**30
"""What README says is room enough, of a service and all its processes."""
SETTLE_SECONDS, WATCH_SECONDS = 12, 0.1
"""How long memory may take to be given back, and from one look at it to the next."""
READY = request("GET", "/health/ready")
GOOD = re.compile(rb"GET /decode|POST /decode|POST /encode")


def run(seconds: float, connections: int, kinds: Iterable[str] = ATTACKS, *, judged: bool = True) -> Iterator[Figure]:
    """So many seconds of attacks from so many connections; unless ``judged``, times have no limit."""
    with patch.dict(os.environ, {"SPRITEVAE_API_KEYS": KEY}), running(DSPRITES, "--device", "cpu") as service:
        siege = Siege(service)
        made = asyncio.run(siege.run(seconds, connections, [*kinds]))
        alive = service.process.poll() is None
    took, ready = sorted(siege.seconds), sorted(siege.ready)
    yield told(f"attacks from {connections} connections in {seconds:.0f} s", f"{sum(made.values()):,}")
    yield told("of each kind, at least", f"{min(made.values()):,}")
    yield told("good requests beside them", f"{len(took):,}")
    yield exactly("of them failed or wrong", siege.faults.total(), 0)
    yield told(
        "their median, and 99 % of them within", f"{1000 * at(took, 0.5):.0f} ms, {1000 * at(took, 0.99):.0f} ms"
    )
    yield at_most("the slowest", round(took[-1], 3), MOST_SECONDS if judged else math.inf, "s")
    yield told("readiness, median and slowest", f"{1000 * at(ready, 0.5):.0f} ms, {1000 * ready[-1]:.0f} ms")
    ran, waited = (1000 * value for value in siege.slowest)
    yield told("meanwhile the event loop ran, and waited for a core", f"{ran:.0f} ms, {waited:.0f} ms")
    before, peak, after = (size / 2**20 for size in (siege.before, siege.peak, siege.after))
    yield told("resident memory of all processes, before and after, MB", f"{before:.0f}, {after:.0f}")
    yield at_most("the same at its highest", peak, MEMORY / 2**20, "MB")
    yield exactly("services that are still there", int(alive), 1)
    yield from (told(f"fault, {times} times", fault) for fault, times in siege.faults.most_common(5))


class Siege:
    """What is seen of a service that is attacked."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.client = Client(service.address)
        self.seconds: list[float] = []
        """Of each good request."""
        self.ready: list[float] = []
        """Of each probe."""
        self.slowest = 0.0, 0.0
        """How long the event loop ran during the slowest of these, and how long it waited for a core."""
        self.faults: Counter[str] = Counter()
        self.before = self.peak = self.after = 0
        """Bytes of memory."""

    async def run(self, seconds: float, connections: int, kinds: list[str]) -> dict[str, int]:
        """Ask while others attack; gives how often each attack was made."""
        asked = cycle([each for each in questions([DSPRITES]) if GOOD.match(each.request) and each.images == 1])
        for _ in range(100):
            await self.client.ask(next(asked).request)
        self.before = footprint(self.service.process.pid)
        attackers = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.soak.attacks"),
            *(str(self.service.address[1]), str(connections), str(seconds), *kinds),
            stdout=subprocess.PIPE,
        )
        assert attackers.stdout
        await attackers.stdout.readline()  # its files are made
        watching = asyncio.create_task(self._watch())
        left = await steadily(RATE, lambda: self._ask(next(asked)), lambda passed: passed < seconds)
        await asyncio.gather(*left)
        watching.cancel()
        made: dict[str, int] = json.loads(await attackers.stdout.read())
        await attackers.wait()
        await asyncio.sleep(SETTLE_SECONDS)
        self.after = footprint(self.service.process.pid)
        self.client.close()
        return made

    async def _ask(self, question: Question) -> None:
        begin = time.perf_counter()
        try:
            fault = question.judge(await self.client.ask(question.request))
        except (Lost, OSError, TimeoutError) as error:
            fault = type(error).__name__
        self.seconds.append(time.perf_counter() - begin)
        if fault:
            self.faults[f"{question.request[:12].decode()}: {fault[:90]}"] += 1

    async def _watch(self) -> None:
        """Look at memory and readiness until cancelled."""
        client = Client(self.service.address)
        while True:
            self.peak = max(self.peak, footprint(self.service.process.pid))
            begin, used = time.perf_counter(), scheduled(self.service.process.pid)
            try:
                fault = "" if (answer := await client.ask(READY)).status == 200 else f"status {answer.status}"
            except (Lost, OSError, TimeoutError) as error:
                fault = type(error).__name__
            self.ready.append(time.perf_counter() - begin)
            if self.ready[-1] == max(self.ready):
                after = scheduled(self.service.process.pid)
                self.slowest = after[0] - used[0], after[1] - used[1]
            if fault:
                self.faults[f"readiness: {fault}"] += 1
            await asyncio.sleep(WATCH_SECONDS)


def footprint(pid: int) -> int:
    """Resident bytes of a process and of all that it has started; 0 if it is gone."""
    try:
        return memory(pid) + sum(footprint(child) for child in children(pid))
    except (OSError, AssertionError):
        return 0


def scheduled(pid: int) -> tuple[float, float]:
    """Seconds that a process's first thread has run, and has waited for a core; zeros if it is gone."""
    try:
        ran, waited, _ = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()
    except OSError:
        return 0, 0
    return int(ran) / 1e9, int(waited) / 1e9


def children(pid: int) -> list[int]:
    """The processes that a process has started, without those that are still itself: they share its memory."""
    listed = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for child in " ".join(listed).split() if command(int(child)) != command(pid)]


def command(pid: int) -> bytes:
    """What a process runs; raises OSError if it is gone."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def at(ordered: list[float], share: float) -> float:
    """What so large a share of the values is not above."""
    return ordered[int(share * (len(ordered) - 1))]
