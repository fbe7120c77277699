"""Malformed requests: none is answered 5xx, none hangs, memory stays, and the next good one is right."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import cycle

from tests.service.processes import Running, memory, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, Lost
from tests.soak.figures import Figure, at_most, exactly, told
from tests.soak.malformed import garbage, invented, mutated
from tests.soak.questions import questions

HANG = 2.0
"""Seconds within which everything must be answered, or its connection closed."""
SILENCE = 0.2
"""Seconds after which one who sent garbage sends no more."""
AT_ONCE, GOOD = 8, 50
"""Requests at once; after how many a good one is sent."""
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "unsupported_method,negative_data_rejection"
)


def run(each: int, schemathesis: int, seed: int = 0) -> Iterator[Figure]:
    """``each`` requests that are invented, half as many again that are mutated, half as many of garbage.

    Then schemathesis, with so many examples of each phase and operation of the service's own OpenAPI.
    """
    draw = random.Random(seed)
    with running(DSPRITES, "--device", "cpu") as service:
        fuzzing = Fuzzing(service)
        asyncio.run(fuzzing.warm())
        before = memory(service.process.pid)
        for name, requests in (
            ("invented by hypothesis", invented(each)),
            ("mutated from good ones", mutated(each + each // 2, draw)),
        ):
            yield _statuses(name, asyncio.run(fuzzing.send(requests)))
        yield _statuses("garbage on the socket", asyncio.run(fuzzing.shout(garbage(each // 2, draw))))
        if schemathesis:
            yield from _schemathesis(service, schemathesis)
        asyncio.run(fuzzing.warm())
        yield exactly("answers 5xx", fuzzing.failed, 0)
        yield exactly(f"not answered, nor their connection closed, after {HANG:.0f} s", fuzzing.hung, 0)
        yield told("slowest", f"{1000 * fuzzing.slowest:.0f} ms")
        yield exactly("good requests between them that were answered wrong", fuzzing.wrong, 0)
        yield at_most("resident memory, after less before", (memory(service.process.pid) - before) // 2**20, 50, "MB")
        yield exactly("errors in the log", sum('"error"' in line for line in service.log), 0)
        yield from (told("fault", fault) for fault in fuzzing.faults[:10])


class Fuzzing:
    """A service that is sent malformed requests."""

    def __init__(self, service: Running) -> None:
        self.address = service.address
        self.good = cycle(questions([DSPRITES]))
        self.failed = self.hung = self.wrong = 0
        self.slowest = 0.0
        self.faults: list[str] = []

    async def warm(self) -> None:
        """Ask what can be answered."""
        client = Client(self.address)
        for _ in range(200):
            await self._ask_good(client)
        client.close()

    async def send(self, requests: Iterable[bytes]) -> Counter[str]:
        """Requests of HTTP, some at once on kept connections; gives their statuses."""
        # What is wrong behind a request is answered after it: a good one on the same connection could meet that answer.
        client, good, waiting = Client(self.address), Client(self.address), iter(requests)
        statuses: Counter[str] = Counter()

        async def ask() -> None:
            for sent in waiting:
                statuses[await self._send(client, sent)] += 1
                if statuses.total() % GOOD == 0:
                    await self._ask_good(good)

        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        client.close()
        good.close()
        return statuses

    async def shout(self, garbage: Iterable[bytes]) -> Counter[str]:
        """Bytes on connections of their own; gives the status of the first answer to each."""
        client, waiting = Client(self.address), iter(garbage)
        statuses: Counter[str] = Counter()

        async def ask() -> None:
            for sent in waiting:
                statuses[await self._shout(sent)] += 1
                if statuses.total() % GOOD == 0:
                    await self._ask_good(client)

        await asyncio.gather(*(ask() for _ in range(4 * AT_ONCE)))
        client.close()
        return statuses

    async def _send(self, client: Client, sent: bytes) -> str:
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(HANG):
                status = str((await client.ask(sent)).status)
        except TimeoutError:
            status = "hung"
        except (Lost, OSError):
            status = "closed"
        self.slowest = max(self.slowest, time.perf_counter() - begin)
        return self._noted(status, sent)

    async def _shout(self, sent: bytes) -> str:
        reader, writer = await asyncio.open_connection(*self.address)
        heard = bytearray()
        try:
            async with asyncio.timeout(HANG):
                writer.write(sent)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE):
                        await _hear(reader, heard)
                writer.write_eof()
                await _hear(reader, heard)
        except TimeoutError:
            return self._noted("hung", sent)
        except OSError:  # the server has closed it
            pass
        finally:
            writer.close()
        found = re.findall(rb"(?:^|\n|\})HTTP/1\.1 (\d{3}) ", bytes(heard))
        worst = max(found, default=b"closed")
        return self._noted(worst.decode(), sent)

    async def _ask_good(self, client: Client) -> None:
        question = next(self.good)
        if fault := question.judge(await client.ask(question.request)):
            self.wrong += 1
            self.faults.append(fault)

    def _noted(self, status: str, sent: bytes) -> str:
        self.hung += status == "hung"
        self.failed += status.startswith("5")
        if status == "hung" or status.startswith("5"):
            self.faults.append(f"{status}: {sent[:300]!r}")
        return status


async def _hear(reader: asyncio.StreamReader, heard: bytearray) -> None:
    while part := await reader.read(2**16):
        heard += part


def _statuses(what: str, statuses: Counter[str]) -> Figure:
    listed = ", ".join(f"{number:,} x {status}" for status, number in sorted(statuses.items()))
    return told(f"{statuses.total():,} {what}", listed)


def _schemathesis(service: Running, examples: int) -> Iterator[Figure]:
    """What schemathesis finds: answers 5xx, and such as the documentation does not have."""
    command = f"-m schemathesis.cli run {service.url}/openapi.json --checks {CHECKS} --max-examples {examples}"
    flags = f"--seed 1 --phases examples,coverage,fuzzing --request-timeout {HANG:.0f} --no-color"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, *command.split(), *flags.split()], cwd=folder, capture_output=True, text=True, check=False
        )
    generated = re.search(r"(\d+) generated", done.stdout)
    yield told("by schemathesis, of the service's own OpenAPI", generated.group(1) if generated else "none")
    yield exactly("exit code of schemathesis", done.returncode, 0)
    if done.returncode:
        yield told("what it says", done.stdout[-2000:].replace("\n", " ").replace("|", "/"))
