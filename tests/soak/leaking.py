"""Very many mixed requests: memory does not grow with them, and a service that leaks a little is told."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from unittest.mock import patch

from tests.service.processes import Running, memory, running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, request
from tests.soak.figures import Figure, at_least, at_most, exactly, told
from tests.soak.malformed import real

SAMPLES = 100
LEAK = 1024
"""Bytes that the control leaks with each request."""
SURE = 0.8
"""Share of that which must be seen."""
PER, MEGABYTE = 10_000, 2**20
LEAKING = (
    "import sys; from service.middleware.request_context import RequestContextMiddleware as context;"
    "kept, call = [], context.__call__;"
    f"context.__call__ = lambda *given: (kept.append(bytearray({LEAK})), call(*given))[1];"
    "from service.main import serve; sys.exit(serve(sys.argv[1:]))"
)
FLAGS = ("--device", "cpu", "--cache-bytes", str(MEGABYTE))
"""The cache is small, so that it is full soon."""


class Course(NamedTuple):
    """What became of requests and memory."""

    statuses: Counter[int]
    sizes: list[int]
    """Resident bytes, from one share of the requests to the next, once warm."""
    growth: float
    """In MB with 10,000 requests."""


def run(number: int, control: int, warm: float, connections: int, most: float = 1, seed: int = 0) -> Iterator[Figure]:
    """So many requests to the service, and so many to one that leaks.

    ``warm`` is the share after which memory counts, ``most`` by how many MB it may grow with 10,000 requests.
    """
    course = _course(number, warm, connections, seed)
    statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(course.statuses.items()))
    yield told(f"{number:,} requests", statuses)
    yield exactly("of them 5xx", sum(count for status, count in course.statuses.items() if status >= 500), 0)
    first, last = (f"{course.sizes[index] / MEGABYTE:.1f}" for index in (0, -1))
    yield told(f"resident memory after {warm * number:,.0f}, and at the end, MB", f"{first}, {last}")
    yield at_most("growth with 10,000 requests", round(course.growth, 2), most, "MB")
    with patch("tests.service.processes.START", LEAKING):
        leaks = _course(control, warm, connections, seed)
    yield at_least(
        f"the same where {LEAK} bytes leak with each of {control:,}",
        round(leaks.growth, 2),
        SURE * LEAK * PER / MEGABYTE,
        "MB",
    )


def _course(number: int, warm: float, connections: int, seed: int) -> Course:
    with running(DSPRITES, *FLAGS) as service:
        statuses, samples = asyncio.run(_ask(service, number, connections, seed))
    samples = samples[int(warm * len(samples)) :]
    return Course(statuses, samples, _growth(samples) / (number / SAMPLES) * PER / MEGABYTE)


async def _ask(service: Running, number: int, connections: int, seed: int) -> tuple[Counter[int], list[int]]:
    """Statuses, and samples of the resident memory in bytes."""
    client, draw, asked = Client(service.address), random.Random(seed), real()
    statuses: Counter[int] = Counter()
    samples: list[int] = []

    async def ask() -> None:
        while statuses.total() < number:
            statuses[(await client.ask(_another(draw, asked))).status] += 1
            if statuses.total() % (number // SAMPLES) == 0:
                samples.append(memory(service.process.pid))

    await asyncio.gather(*(ask() for _ in range(connections)))
    client.close()
    return statuses, samples


def _growth(samples: list[int]) -> float:
    """From one sample to the next: the median of the slopes of all pairs (Theil and Sen)."""
    return statistics.median((b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(samples), 2))


def _another(draw: random.Random, asked: list[bytes]) -> bytes:
    """A request of any kind: some with values that never were, some with faults."""
    kind = draw.random()
    values = {"shape": "heart", "orientation": draw.uniform(0, 39), "pos_x": draw.uniform(0, 31)}
    if kind < 0.4:
        return request("POST", "/decode", {"attributes": values}, x_request_id=f"{draw.getrandbits(64):x}")
    if kind < 0.5:
        return request("GET", f"/decode?orientation={values['orientation']}", accept="image/webp")
    if kind < 0.6:
        name = f"{draw.getrandbits(64):x}"
        path = draw.choice((f"/{name}", f"/models/{name}", f"/decode?{name}=1", f"/v2/models/{name}/infer"))
        return request(draw.choice(("GET", "POST", name.upper())), path)
    return draw.choice(asked)
