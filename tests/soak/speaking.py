"""A fuzzer that speaks raw HTTP/1.1: whatever clients say at once, others are answered, and memory comes back."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, cycle
from pathlib import Path

from service.server.closing import RESET
from tests.service.processes import Running, memory, running
from tests.soak.answers import Answers
from tests.soak.bundles import DSPRITES
from tests.soak.client import KEY
from tests.soak.figures import Figure, at_most, exactly, told
from tests.soak.grammar import MAX_BODY, Conversation, conversation
from tests.soak.watching import Seen, watching

AT_ONCE = 24
"""Clients that speak at once."""
PATIENCE, SETTLE = 20.0, 3.0
"""Seconds within which the next answer must come; after which memory is looked at."""
PAUSES = 20
"""Pieces with a pause behind them, and slow reads: the others follow at once, or a client would take all day."""
SLOWLY, NEVER = 0.02, 0.5
"""Seconds between two reads of a slow client; before one leaves that reads nothing."""
WARM = 0.2
"""The share of the time before memory is looked at first."""
MILLISECONDS, READY_MILLISECONDS, MEGABYTES = 250, 100, 20


def run(seconds: float, seed: int = 0, judged: bool = True) -> Iterator[Figure]:
    """Speak for so long. ``judged``: whether times are, for which the machine must be quiet."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        keys.write_text(KEY)
        os.chmod(keys, 0o600)
        flags = ("--device", "cpu", "--api-keys-file", str(keys), "--max-body-bytes", str(MAX_BODY))
        with running(DSPRITES, *flags) as service:
            speaking = Speaking(service, seed)
            with watching(service.address) as warm:
                asyncio.run(speaking.run(seconds * WARM))
            time.sleep(SETTLE)
            before = memory(service.process.pid)
            with watching(service.address) as seen:
                asyncio.run(speaking.run(seconds * (1 - WARM)))
            time.sleep(SETTLE)
            grown = memory(service.process.pid) - before
            errors = sum('"error"' in line or "Traceback" in line for line in service.log)
    statuses = ", ".join(f"{status}: {number:,}" for status, number in sorted(speaking.statuses.items()))
    yield told("conversations", f"{speaking.said:,}, seed {seed}")
    yield told("answers", statuses)
    yield exactly("answered wrong, or not at all", len(speaking.faults), 0)
    yield exactly("answers 5xx but 503", sum(n for status, n in speaking.statuses.items() if 500 <= status != 503), 0)
    yield from _others(warm, seen, judged)
    yield at_most("resident memory, after less before", round(grown / 2**20, 1), MEGABYTES, "MB")
    yield exactly("errors in the log", errors, 0)
    yield from (told(f"wrong: {kind}", str(number)) for kind, number in speaking.kinds.most_common())
    yield from (told("fault", fault) for fault in speaking.faults[:10])


def _others(warm: Seen, seen: Seen, judged: bool) -> Iterator[Figure]:
    slowest, ready = max(warm.decode, seen.decode), max(warm.ready, seen.ready)
    for what, value, limit in (
        ("slowest GET /decode of another client", slowest, MILLISECONDS),
        ("slowest /health/ready", ready, READY_MILLISECONDS),
    ):
        yield at_most(what, round(value), limit, "ms") if judged else told(what, f"{value:.0f} ms")
    yield exactly("of these wrong", len(warm.faults) + len(seen.faults), 0)
    yield from (told("wrong", fault) for fault in (warm.faults + seen.faults)[:5])


class Speaking:
    """Clients that speak to a service."""

    def __init__(self, service: Running, seed: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []
        self.kinds: Counter[str] = Counter()
        """What was said in the conversations that were answered wrong."""
        self.said = 0
        self._address = service.address
        self._seed = seed
        self._numbers = count()

    async def run(self, seconds: float) -> None:
        """Some clients at once, each with one conversation after the other."""
        end = time.monotonic() + seconds

        async def speak() -> None:
            while time.monotonic() < end:
                number = next(self._numbers)
                said = conversation(self._seed, number)
                if fault := await self._converse(said):
                    kinds = ", ".join(said.kinds) or "all good"
                    self.kinds[kinds] += 1
                    self.faults.append(f"conversation {number} ({kinds}; {said.reads}, {said.end}): {fault}")
                self.said += 1

        await asyncio.gather(*(speak() for _ in range(AT_ONCE)))

    async def _converse(self, said: Conversation) -> str:
        """What is wrong with the answers, empty if nothing is."""
        reader, writer = await asyncio.open_connection(*self._address)
        answers = Answers([message.method for message in said.messages])
        reading = asyncio.create_task(_read(reader, answers, said.reads))
        wanted = sum(message.answered for message in said.messages)
        try:
            await _write(writer, said)
            if said.end == "half close" and not writer.is_closing():
                with suppress(OSError):
                    writer.write_eof()
            if said.reads == "never":
                await asyncio.sleep(NEVER)
            elif said.end in ("wait", "half close"):
                await _wait(reading, answers, wanted, ends=said.end == "half close")
        finally:
            reading.cancel()
            _leave(writer, reset=said.end == "reset")
        waited = said.reads != "never" and said.end in ("wait", "half close")
        return self._judge(said, answers, wanted if waited else 0, reading)

    def _judge(self, said: Conversation, answers: Answers, wanted: int, reading: asyncio.Task[None]) -> str:
        given = answers.given
        self.statuses.update(each.status for each in given)
        if reading.done() and not reading.cancelled() and isinstance(reading.exception(), ValueError):
            return str(reading.exception())
        if len(given) > len(said.messages):
            return f"{len(given)} answers to {len(said.messages)} requests"
        for number, (message, each) in enumerate(zip(said.messages, given, strict=False)):
            if each.status not in message.statuses:
                return f"request {number} was answered {each.status}, not {sorted(message.statuses)[:5]}"
            if message.name and each.name and each.name != message.name:
                return f"request {number} has the answer of {each.name!r}"
            if each.closes and number < len(given) - 1:
                return f"answers came behind that to {number}, which said that it closes"
        if len(given) < wanted and not (given and given[-1].closes):
            return f"{len(given)} of {wanted} were answered"
        return ""


async def _write(writer: asyncio.StreamWriter, said: Conversation) -> None:
    """Send all, or as much as is taken."""
    sent, cuts, start, pieces = said.sent, cycle(said.cuts), 0, 0
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE / 4):
            while start < len(sent):
                size = next(cuts)
                writer.write(sent[start : start + size])
                await writer.drain()
                start, pieces = start + size, pieces + 1
                if said.pause and pieces < PAUSES:
                    await asyncio.sleep(said.pause)


async def _read(reader: asyncio.StreamReader, answers: Answers, how: str) -> None:
    for number in count():
        slowly = how == "slowly" and number < PAUSES
        if how == "never":
            return
        try:
            data = await reader.read(1000 if slowly else 2**16)
        except OSError:
            return
        if not data:
            return
        answers.add(data)
        if slowly:
            await asyncio.sleep(SLOWLY)


async def _wait(reading: asyncio.Task[None], answers: Answers, wanted: int, *, ends: bool) -> None:
    """Until all is answered, or the connection has ended, or nothing comes for too long."""
    seen, since = -1, time.monotonic()
    while not reading.done() and time.monotonic() < since + PATIENCE:
        if len(answers.given) != seen:
            seen, since = len(answers.given), time.monotonic()
        if not ends and seen >= wanted and answers.complete:
            return
        await asyncio.sleep(0.001)


def _leave(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    connection = writer.get_extra_info("socket")
    if reset:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort() if reset else writer.close()
