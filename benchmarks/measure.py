"""One run: all servers in turns, onnxruntime itself between the rounds, start and memory apart."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks.load import put, write_requests
from benchmarks.peers.pair import Pair
from benchmarks.processes import Process, busy_seconds
from benchmarks.protocols import HALVES, Half
from benchmarks.requests import WrongAnswer, bodies, check
from benchmarks.servers import Server
from export.bundle import DECODER, ENCODER
from export.onnx import session
from export.speed import turn

REQUESTS, CHECKED, AT_A_TIME = 50_000, 32, 8
BATCHES = (1, 2, 4, 8, 16, 32, 64)
ORT_TURNS = 3
WARM_UP = (16, 1)
"""Connections and seconds of load that isn't counted."""


@dataclass(frozen=True)
class Plan:
    """What to measure: each server so many seconds at each number of connections, in each of so many rounds."""

    seconds: int
    rounds: int
    connections: tuple[int, ...]
    workers: int


class Sample(NamedTuple):
    """One measurement: requests per second, and microseconds that half and 99 % of them took at most.

    ``processor``: microseconds of processor time that the server took per request; ``others``: the share of the
    machine that neither server nor load took, but something else. Where that is much, rates say little.
    """

    turn: int
    server: str
    half: Half
    connections: int
    rate: float
    p50: int
    p99: int
    processor: float
    others: float


class Native(NamedTuple):
    """Images per second of a graph alone in onnxruntime on one thread, at the batch size that gives most."""

    turn: int
    half: Half
    rate: float
    batch: int


class Footprint(NamedTuple):
    """Seconds from the start to the first answer, and bytes held when idle, of a server with one worker."""

    turn: int
    server: str
    seconds: float
    resident: int


class Bench:
    """A bundle that servers are measured with; requests are kept in ``folder``."""

    def __init__(self, bundle: Path, folder: Path, plan: Plan) -> None:
        self.bundle, self.plan = bundle, plan
        self.pair = Pair(bundle)
        self._folder = folder
        self._bodies = {half: [*bodies(half, REQUESTS)] for half in HALVES}
        self._draw = np.random.default_rng()

    def samples(self, servers: Sequence[Server]) -> Iterator[Sample | Native]:
        """Measure: in each round all servers take turns in each case, and onnxruntime alone has one."""
        plan = self.plan
        cases = [*product(HALVES, plan.connections)]
        bar = tqdm(total=plan.rounds * len(cases) * len(servers), desc=self.bundle.name, unit="measurement")
        with ExitStack() as stack, bar:
            running = [self._started(stack, server) for server in servers]
            for number in range(plan.rounds):
                yield from self._native(number)
                for case, process in product(cases, _rotated(running, number)):
                    with process.awake():
                        yield self._sample(number, process, *case)
                    bar.update()

    def footprints(self, servers: Sequence[Server]) -> Iterator[Footprint]:
        """Start each with one worker, in turns, ask it a little and weigh it."""
        for number, server in tqdm([*product(range(self.plan.rounds), servers)], desc="start and memory"):
            with self._process(server, workers=1) as process:
                self._check(process)
                time.sleep(1)
                yield Footprint(number, server.name, process.seconds, process.resident())

    def _started(self, stack: ExitStack, server: Server) -> Process:
        """A server that has given right answers and is warm."""
        process = stack.enter_context(self._process(server, self.plan.workers))
        self._check(process)
        for half in HALVES:
            put(process.port, self._requests(server, half), *WARM_UP, first=0)
        process.pause()
        return process

    def _process(self, server: Server, workers: int) -> Process:
        return Process(server, self.bundle, workers, server.protocol.wrap("decode", self._bodies["decode"][0]))

    def _check(self, process: Process) -> None:
        """Ask several things at a time, so that batches are checked, too; raises WrongAnswer."""
        for half in HALVES:
            asked = self._bodies[half][:CHECKED]
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                answers = [*pool.map(partial(process.answer, half), asked)]
            for body, answer in zip(asked, answers, strict=True) if process.server.answers else ():
                try:
                    check(half, self.pair, body, answer)
                except (WrongAnswer, OSError, LookupError, ValueError) as error:  # not even a PNG, or other JSON
                    raise WrongAnswer(f"{process.server.name}: {half}: {error}") from error

    def _requests(self, server: Server, half: Half) -> Path:
        file = self._folder / f"{type(server.protocol).__name__}.{half}"
        if not file.exists():
            write_requests(file, (server.protocol.wrap(half, body).http for body in self._bodies[half]))
        return file

    def _sample(self, number: int, process: Process, half: Half, connections: int) -> Sample:
        requests, first = self._requests(process.server, half), int(self._draw.integers(REQUESTS))
        before, started = (busy_seconds(), process.processor_seconds()), time.perf_counter()
        load = put(process.port, requests, connections, self.plan.seconds, first)
        busy, own = busy_seconds() - before[0], process.processor_seconds() - before[1]
        available = (time.perf_counter() - started) * (os.cpu_count() or 1)
        others = max(busy - own - load.processor_seconds, 0) / available
        processor = own / load.requests * 1e6
        return Sample(number, process.server.name, half, connections, load.rate, load.p50, load.p99, processor, others)

    def _native(self, number: int) -> Iterator[Native]:
        for half, file in zip(HALVES, (DECODER, ENCODER), strict=True):
            graph = session((self.bundle / file).read_bytes())
            times = {batch: min(turn(graph, batch) for _ in range(ORT_TURNS)) for batch in BATCHES}
            batch = min(times, key=lambda size: times[size])
            yield Native(number, half, 1e6 / times[batch], batch)


def _rotated(processes: Sequence[Process], by: int) -> list[Process]:
    """So that each comes first in some round."""
    by %= max(len(processes), 1)
    return [*processes[by:], *processes[:by]]
