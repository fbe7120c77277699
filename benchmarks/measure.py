"""One run: all servers in turns, onnxruntime alone between the rounds, and start-up and memory apart."""

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
from typing import NamedTuple, TypeVar

import numpy as np
from tqdm import tqdm

from benchmarks.load import run_wrk, write_requests
from benchmarks.peers.pair import Pair
from benchmarks.processes import Process, busy_seconds
from benchmarks.protocols import COMMON_FORMS, Form
from benchmarks.requests import WrongAnswer, bodies, check
from benchmarks.servers import Server
from export.bundle import DECODER, ENCODER
from export.onnx import session
from export.speed import turn

T = TypeVar("T")
# Different requests of each form.
REQUESTS = 50_000
# The same for forms whose requests are long.
FEWER_REQUESTS: dict[Form, int] = {"decode-items": 2_000, "edit": 20_000}
# Responses of each form that are checked.
CHECKED = 32
# Requests at a time while responses are checked: enough for servers to make batches.
CHECKED_AT_A_TIME = 8
# Batch sizes that onnxruntime is measured with.
BATCHES = (1, 2, 4, 8, 16, 32, 64)
# The fastest of this many measurements of onnxruntime counts.
ORT_TURNS = 3
# Connections of the load that warms a server up.
WARM_UP_CONNECTIONS = 16
WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Plan:
    """What to measure: each server for ``seconds`` with each form and number of connections, in each round."""

    seconds: int
    rounds: int
    connections: tuple[int, ...]
    workers: int
    forms: tuple[Form, ...] = COMMON_FORMS


class Sample(NamedTuple):
    """One measurement: requests per second, and latencies in microseconds (median, 99th percentile).

    ``processor``: microseconds of processor time per request that the server took. ``others``: the share of the
    machine's processor time that neither server nor load took; where it is large, rates say little.
    """

    turn: int
    server: str
    form: Form
    connections: int
    rate: float
    p50: int
    p99: int
    processor: float
    others: float


class OrtBaseline(NamedTuple):
    """Images per second of one ONNX graph in onnxruntime alone, on one thread, at its fastest batch size."""

    turn: int
    form: Form
    rate: float
    batch: int


class Footprint(NamedTuple):
    """Seconds from start to the first response, and resident bytes when idle, of a server with one worker."""

    turn: int
    server: str
    seconds: float
    resident: int


class Bench:
    """Measures servers with one bundle. The requests are kept as files in ``folder``."""

    def __init__(self, bundle: Path, folder: Path, plan: Plan) -> None:
        self.bundle, self.plan = bundle, plan
        self.pair = Pair(bundle)
        self._folder = folder
        # Servers are started with a request of the first common form.
        forms = dict.fromkeys((*COMMON_FORMS, *plan.forms))
        self._bodies = {form: [*bodies(form, min(REQUESTS, FEWER_REQUESTS.get(form, REQUESTS)))] for form in forms}
        self._draw = np.random.default_rng()

    def samples(self, servers: Sequence[Server]) -> Iterator[Sample | OrtBaseline]:
        """Measure: in each round, onnxruntime alone has one turn, and all servers have one turn in each case."""
        plan = self.plan
        cases = [*product(plan.forms, plan.connections)]
        total = plan.rounds * sum(form in server.forms for form, _ in cases for server in servers)
        with ExitStack() as stack, tqdm(total=total, desc=self.bundle.name, unit="measurement") as bar:
            running = [self._started(stack, server) for server in servers]
            for number in range(plan.rounds):
                yield from self._ort_baseline(number)
                for (form, connections), process in product(cases, _rotated(running, number)):
                    if form in process.server.forms:
                        with process.awake():
                            yield self._sample(number, process, form, connections)
                        bar.update()

    def footprints(self, servers: Sequence[Server]) -> Iterator[Footprint]:
        """In turns, start each server with one worker, ask it a few requests, and read its memory."""
        turns = [(turn, server) for turn in range(self.plan.rounds) for server in _rotated(servers, turn)]
        for number, server in tqdm(turns, desc="start and memory"):
            with self._process(server, workers=1) as process:
                self._check(process, COMMON_FORMS)
                time.sleep(1)  # what the requests left running ends meanwhile
                yield Footprint(number, server.name, process.seconds, process.resident())

    def _started(self, stack: ExitStack, server: Server) -> Process:
        """A running server whose responses are right, warmed up and paused."""
        process = stack.enter_context(self._process(server, self.plan.workers))
        forms = [form for form in self.plan.forms if form in server.forms]
        self._check(process, forms)
        for form in forms:
            run_wrk(process.port, self._requests(server, form), WARM_UP_CONNECTIONS, WARM_UP_SECONDS, first=0)
        process.pause()
        return process

    def _process(self, server: Server, workers: int) -> Process:
        first = server.protocol.wrap(COMMON_FORMS[0], self._bodies[COMMON_FORMS[0]][0])
        return Process(server, self.bundle, workers, first)

    def _check(self, process: Process, forms: Sequence[Form]) -> None:
        """Check responses to requests that come several at a time, so in batches; raises WrongAnswer."""
        for form in forms:
            asked = self._bodies[form][:CHECKED]
            with ThreadPoolExecutor(CHECKED_AT_A_TIME) as pool:
                contents = [*pool.map(partial(process.answer, form), asked)]
            if not process.server.serves_model:
                continue
            for body, content in zip(asked, contents, strict=True):
                try:
                    check(form, self.pair, body, content)
                except (WrongAnswer, OSError, LookupError, ValueError) as error:  # perhaps no PNG, or other JSON
                    raise WrongAnswer(f"{process.server.name}: {form}: {error}") from error

    def _requests(self, server: Server, form: Form) -> Path:
        """The file of a server's requests, written when it is first needed."""
        file = self._folder / f"{self.bundle.name}.{type(server.protocol).__name__}.{form}"
        if not file.exists():
            write_requests(file, (server.protocol.wrap(form, body).http for body in self._bodies[form]))
        return file

    def _sample(self, number: int, process: Process, form: Form, connections: int) -> Sample:
        requests = self._requests(process.server, form)
        first = int(self._draw.integers(len(self._bodies[form])))
        before, started = (busy_seconds(), process.processor_seconds()), time.perf_counter()
        load = run_wrk(process.port, requests, connections, self.plan.seconds, first)
        busy, own = busy_seconds() - before[0], process.processor_seconds() - before[1]
        available = (time.perf_counter() - started) * (os.cpu_count() or 1)
        others = max(busy - own - load.processor_seconds, 0) / available
        processor = own / load.requests * 1e6
        return Sample(number, process.server.name, form, connections, load.rate, load.p50, load.p99, processor, others)

    def _ort_baseline(self, number: int) -> Iterator[OrtBaseline]:
        for form, file in zip(COMMON_FORMS, (DECODER, ENCODER), strict=True):
            graph = session((self.bundle / file).read_bytes())
            times = {batch: min(turn(graph, batch) for _ in range(ORT_TURNS)) for batch in BATCHES}
            batch = min(times, key=lambda size: times[size])
            yield OrtBaseline(number, form, 1e6 / times[batch], batch)


def _rotated(items: Sequence[T], by: int) -> list[T]:
    """The same from another start, so that each comes first in some round."""
    by %= max(len(items), 1)
    return [*items[by:], *items[:by]]
