"""Four times as much as the service can do: it goes on doing what it can, says no to the rest, and recovers at once."""

from __future__ import annotations

import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any, NamedTuple

import uvloop

from tests.service.processes import START, wait_ready
from tests.soak.bundles import DSPRITES
from tests.soak.client import Address, Client, request
from tests.soak.figures import Figure, at_most, exactly, spread, told
from tests.soak.volley import Volley

TIMES, MANY = 4, 32
CALM, STORM = {MANY: 16, 1: 64}, {MANY: 1024, 1: 12288}
"""Connections by images of a request: as many as keep the service busy, and more than it lets wait."""
NORMAL, SLOW = 10, 5
"""Answers, one after the other, that make a service normal again, and times the usual time that are too slow."""
PATIENCE = 20
WORKERS = str(os.cpu_count())
MODEL = ("--model", str(DSPRITES), "--device", "cpu", "--cache-bytes", "0")
SERVICE = (sys.executable, "-c", START, *MODEL, "--workers", WORKERS, "--port")
BARE = (sys.executable, "-m", "tests.soak.bare")


class Turn(NamedTuple):
    """What was measured in one turn, per second."""

    capacity: float
    bare: float
    sent: float
    good: float
    recovery: float
    """Seconds until it was normal again."""

    @property
    def ceiling(self) -> float:
        """How many could be answered if each refusal cost what the bare server takes for an answer.

        g / capacity + (sent - g) / bare = 1: seconds of work in a second.
        """
        return (1 - self.sent / self.bare) / (1 / self.capacity - 1 / self.bare)


def run(seconds: float, turns: int, before: float, judged: bool = True) -> Iterator[Figure]:
    """So many turns of ``seconds`` of overload, each between measurements of ``before`` seconds of what can be done.

    ``judged``: whether the goodput and the time of recovery are, for which these must be long and the machine quiet.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with _server(*SERVICE) as service, _server(*BARE) as bare:
        for images in (MANY, 1):
            statuses: Counter[int] = Counter()
            made = [uvloop.run(_turn(service, bare, images, seconds, before, statuses)) for _ in range(turns)]
            yield from _figures(images, made, statuses, judged)


def _figures(images: int, turns: list[Turn], statuses: Counter[int], judged: bool) -> Iterator[Figure]:
    what = f"requests of {images} images" if images > 1 else "requests of an image"
    yield told(f"{what}: most that are answered in a second", spread([turn.capacity for turn in turns]))
    yield told("sent in a second of overload, times as many", spread([turn.sent / turn.capacity for turn in turns]))
    yield told("statuses", ", ".join(f"{number:,} x {status}" for status, number in sorted(statuses.items())))
    others = sum(number for status, number in statuses.items() if status not in (200, 429, 503))
    yield exactly("statuses other than 200, 429, 503", others, 0)
    slowest = max(turn.recovery for turn in turns)
    yield at_most("until it was normal again, the slowest turn", slowest, 2 if judged else PATIENCE, "s")
    limit = 90 if images > 1 else 75
    shares = [100 * turn.good / (turn.capacity if images > 1 else turn.ceiling) for turn in turns]
    if images == 1:
        yield told("answered by the bare server in a second", spread([turn.bare for turn in turns]))
        yield told("what it leaves to be answered in overload", spread([turn.ceiling for turn in turns]))
    value = f"{spread(shares)} % of {'all' if images > 1 else 'what is left'}"
    held = not judged or statistics.median(shares) >= limit
    yield Figure("answered in overload", value, f">= {limit} %" if judged else "", held)


async def _turn(
    service: Address, bare: Address, images: int, seconds: float, before: float, statuses: Counter[int]
) -> Turn:
    first = await _most(service, images, before)
    usual = await _usual(service)
    bare_rate = await _most(bare, images, before)
    storm = Volley(_requests(images))
    await storm.open(service, STORM[images])
    sent, good = await storm.at(TIMES * first, seconds)
    recovery = await _recovery(service, usual)
    await storm.settle()
    statuses.update(storm.statuses)
    storm.close()
    return Turn((first + await _most(service, images, before)) / 2, bare_rate, sent, good, recovery)


async def _most(address: Address, images: int, seconds: float) -> float:
    volley = Volley(_requests(images))
    await volley.open(address, CALM[images])
    rate = await volley.freely(seconds)
    volley.close()
    return rate


async def _usual(address: Address) -> float:
    """Seconds that a request takes alone: the median of a hundred."""
    client, times = Client(address), []
    for sent in islice(_requests(1), 100):
        begin = time.perf_counter()
        await client.ask(sent)
        times.append(time.perf_counter() - begin)
    client.close()
    return statistics.median(times)


async def _recovery(address: Address, usual: float) -> float:
    """Seconds until the first of NORMAL answers, one after the other, that are 200 and not slow."""
    client, begin, streak, first = Client(address), time.perf_counter(), 0, 0.0
    for sent in _requests(1):
        asked = time.perf_counter()
        status = (await client.ask(sent)).status
        if status == 200 and time.perf_counter() - asked < max(SLOW * usual, 0.05):
            first, streak = (first, streak + 1) if streak else (asked, 1)
        else:
            streak = 0
        if streak == NORMAL or asked > begin + PATIENCE:
            break
    client.close()
    return (first if streak else asked) - begin


def _requests(images: int) -> Iterator[bytes]:
    """POST /decode of so many sets of values, others in each."""
    draw = random.Random(images)

    def values() -> dict[str, Any]:
        shape = draw.choice(("square", "ellipse", "heart"))
        return {"shape": shape, "orientation": draw.uniform(0, 39), "pos_x": draw.uniform(0, 31)}

    made = [[values() for _ in range(images)] for _ in range(2000 // images)]
    return cycle(request("POST", "/decode", {"attributes": each if images > 1 else each[0]}) for each in made)


@contextmanager
def _server(*command: str) -> Iterator[Address]:
    """A server whose log nobody reads, at a port that was free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, "it has ended"
            time.sleep(0.05)
        wait_ready(f"http://127.0.0.1:{port}")
        yield "127.0.0.1", port
    finally:
        process.kill()
        process.wait()
