"""Bundles take each other's place while requests run, and bad ones are refused: no answer is wrong or fails."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from tests.service.processes import Running, memory, running
from tests.soak.bundles import BAD, DSPRITES, digest, inverted, replace
from tests.soak.client import KEY, Answer, Client, Lost, request
from tests.soak.figures import Figure, exactly, spread, told
from tests.soak.questions import Question, questions

CONNECTIONS = 8
ANSWERS = 100
"""From one swap to the next, at least."""
PATIENCE = 20
"""Seconds in which a bundle must be noticed."""
LOAD = request("POST", "/v2/repository/models/dsprites/load", {})
WAYS = {"--reload-seconds": ("--reload-seconds", "0.05"), "--admin": ("--admin",)}


def run(swaps: int) -> Iterator[Figure]:
    """So many swaps in each way: bundles that are noticed, and bundles that a client loads."""
    with tempfile.TemporaryDirectory() as folder:
        models = DSPRITES, inverted(Path(folder) / "inverted")
        asked = questions(models)
        for way, flags in WAYS.items():
            served = Path(folder) / f"served{way}"
            replace(served, DSPRITES)
            keys = {"SPRITEVAE_API_KEYS": f"{KEY}:admin"} if way == "--admin" else {}
            with patch.dict(os.environ, keys), running(served, "--device", "cpu", *flags) as service:
                swapping = Swapping(service, served, models, asked, admin=way == "--admin")
                asyncio.run(swapping.run(swaps))
                yield from swapping.figures(way)


class Swapping:
    """Requests that run while a service's bundle is replaced."""

    def __init__(
        self, service: Running, served: Path, models: tuple[Path, Path], asked: list[Question], *, admin: bool
    ) -> None:
        self.service = service
        self.admin = admin
        """Whether a client loads bundles, rather than the service itself."""
        self.served = served
        self.models = models
        self.asked = asked
        self.client = Client(service.address)
        self.draw = random.Random(0)
        self.settled = digest(DSPRITES)
        """The digest that every answer must bear now; empty while bundles change."""
        self.answers: Counter[str] = Counter()
        self.faults: list[str] = []
        self.seconds: list[float] = []
        self.refused = 0
        self.grown = 0.0

    async def run(self, swaps: int) -> None:
        """Swap good bundles, then offer bad ones, while clients ask."""
        before = memory(self.service.process.pid)
        asking = [asyncio.create_task(self._ask()) for _ in range(CONNECTIONS)]
        for index in range(swaps):
            await self._swap(self.models[(index + 1) % 2])
        for kind in BAD:
            await self._offer(kind)
        await self._swap(self.models[(swaps + 1) % 2])
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        self.client.close()
        self.grown = (memory(self.service.process.pid) - before) / 2**20

    def figures(self, way: str) -> Iterator[Figure]:
        """What was seen."""
        per_model = [self.answers[digest(path)] for path in self.models]
        yield told(f"{way}: swaps of the shipped model and its inverse", f"{len(self.seconds)}")
        yield told(f"{way}: seconds from a new bundle to its first answer", spread(self.seconds))
        yield told(f"{way}: answers of each of both", " and ".join(f"{count:,}" for count in per_model))
        yield exactly(f"{way}: answers that failed, were wrong or of another model than they say", len(self.faults), 0)
        yield exactly(f"{way}: kinds of bad bundle that were refused, with the reason", self.refused, len(BAD))
        yield told(f"{way}: resident memory, after less before", f"{self.grown:.0f} MB")
        yield from (told("fault", fault) for fault in self.faults[:5])

    async def _ask(self) -> None:
        while True:
            question = self.draw.choice(self.asked)
            before = self.settled
            try:
                answer = await self.client.ask(question.request)
            except (Lost, OSError) as error:
                self.faults.append(f"{type(error).__name__} {error}: {question.request[:60]!r}")
                continue
            self._judge(question, answer, before)

    def _judge(self, question: Question, answer: Answer, before: str) -> None:
        model = answer.header("x-model-digest")
        self.answers[model] += 1
        if fault := question.judge(answer):
            self.faults.append(f"{fault}: {question.request[:60]!r}")
        elif before and before == self.settled != model:
            self.faults.append(f"{model:.12} answered long after {before:.12} had taken its place")

    async def _swap(self, source: Path) -> None:
        self.settled = ""
        begin, new = time.perf_counter(), digest(source)
        await asyncio.to_thread(replace, self.served, source)
        if self.admin and (answer := await self.client.ask(LOAD)).status != 200:
            self.faults.append(f"{new:.12} was not loaded: {answer.body[:200]!r}")
        while await self._serves() != new:
            if self.admin or time.perf_counter() > begin + PATIENCE:
                self.faults.append(f"{new:.12} is not served")
                break
        self.seconds.append(time.perf_counter() - begin)
        self.settled, before = new, self.answers[new]
        while self.answers[new] < before + ANSWERS and not self.faults:
            await asyncio.sleep(0.001)

    async def _serves(self) -> str:
        answer = await self.client.ask(request("GET", "/models/dsprites"))
        return answer.header("x-model-digest")

    async def _offer(self, kind: str) -> None:
        """Put a bad bundle there, and see that it is refused; ``settled`` must be served on."""
        logged = len(self.service.log)
        await asyncio.to_thread(replace, self.served, DSPRITES, BAD[kind])
        if self.admin:
            answer = await self.client.ask(LOAD)
            refused = answer.status == 409 and str(self.served).encode() not in answer.body
        else:
            refused = await self._logs(logged)
        self.refused += refused
        if not refused:
            self.faults.append(f"not refused: {kind}")

    async def _logs(self, start: int) -> bool:
        """Whether a refusal is logged in time; for a moment there may be no bundle at all."""
        deadline = time.perf_counter() + PATIENCE
        while time.perf_counter() < deadline:
            if any("served on" in line and "no bundle here" not in line for line in self.service.log[start:]):
                return True
            await asyncio.sleep(0.01)
        return False
