"""The results as tables: rates, and ratios to the rates of others in the same round."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from benchmarks.measure import Footprint, OrtBaseline, Plan, Sample
from benchmarks.protocols import COMMON_FORMS, Form
from benchmarks.servers import BARE, OURS, PLAIN, Server

ORT = "onnxruntime, one thread"
LABEL_WIDTH, CELL_WIDTH = 36, 24

Figure = Literal["rate", "p50", "p99", "processor"]


@dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum of a figure over the rounds."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """Of one figure per round."""
        listed = [*figures]
        return cls(median(listed), min(listed), max(listed))

    @classmethod
    def of_ratios(cls, ours: Iterable[float], others: Iterable[float]) -> Spread:
        """Of the ratios of two figures, one of each per round."""
        return cls.of(a / b for a, b in zip(ours, others, strict=True))

    def shown(self, form: str) -> str:
        """As text, with a format specification for numbers."""
        middle, least, most = (format(figure, form) for figure in (self.middle, self.least, self.most))
        return f"{middle} ({least}-{most})"


@dataclass(frozen=True)
class Results:
    """All measurements with one bundle. ``against``: the name of the other checkout's service, if there is one."""

    model: str
    digest: str
    samples: list[Sample]
    native: list[OrtBaseline]
    footprints: list[Footprint]
    against: str | None = None

    def figures(self, figure: Figure, server: str, form: Form, connections: int) -> list[float]:
        """One figure per round of a server."""
        case = (server, form, connections)
        return [getattr(each, figure) for each in self.samples if (each.server, each.form, each.connections) == case]

    def processor(self, server: str, form: Form, connections: int) -> list[float]:
        """Microseconds of processor time per request, one per round."""
        return self.figures("processor", server, form, connections)

    def rates(self, server: str, form: Form, connections: int) -> list[float]:
        """Requests per second, one per round; onnxruntime's are the same at all numbers of connections."""
        if server == ORT:
            return [each.rate for each in self.native if each.form == form]
        return self.figures("rate", server, form, connections)

    def share(self, server: str, form: Form, connections: int) -> Spread:
        """How many times another's rate ours is, of rates in the same round."""
        return Spread.of_ratios(self.rates(OURS, form, connections), self.rates(server, form, connections))

    def best_peer(self, form: Form, connections: int) -> str | None:
        """The fastest of the peers that serve a model; neither this project's service nor its other checkout."""
        peers = {each.server for each in self.samples if each.form == form} - {OURS, BARE, self.against}
        return max(peers, key=lambda name: median(self.rates(name, form, connections)), default=None)


def hardware() -> str:
    """The processor, its number of cores, and the system."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return f"{', '.join(sorted(models)) or platform.machine()}, {os.cpu_count()} cores, {platform.platform()}"


def noise(results: Iterable[Results]) -> str:
    """The share of the machine that other processes took."""
    shares = [sample.others for each in results for sample in each.samples]
    return f"other processes took {median(shares):.0%} of the processor during a measurement, at most {max(shares):.0%}"


def table(results: Results, plan: Plan, servers: Sequence[Server]) -> str:
    """The rates of each form, then start-up and memory."""
    blocks = [_rates(results, plan, form, [each.name for each in servers if form in each.forms]) for form in plan.forms]
    if results.footprints:
        blocks.append(_footprints(results))
    return f"{results.model} ({results.digest[:12]})\n\n" + "\n\n".join(blocks)


def _rates(results: Results, plan: Plan, form: Form, servers: Sequence[str]) -> str:
    baseline = [ORT] if form in COMMON_FORMS else []
    lines = [
        f"{form}: requests/s, median (range) of {plan.rounds} rounds of {plan.seconds} s",
        _row("connections", map(str, plan.connections)),
    ]
    for name in [*servers, *baseline]:
        lines.append(_row(name, (Spread.of(results.rates(name, form, c)).shown(",.0f") for c in plan.connections)))
    for name in servers:
        times = (Spread.of(results.processor(name, form, count)).shown(",.0f") for count in plan.connections)
        lines.append(_row(f"{name}, us of processor", times))
    if OURS in servers:
        for name in [*(name for name in servers if name != OURS), *baseline]:
            shares = (results.share(name, form, count).shown(".2f") for count in plan.connections)
            lines.append(_row(f"{OURS} / {name}", shares))
            if name == results.against:
                lines += _latencies(results, plan, form, name)
        if form in COMMON_FORMS:
            lines.append(_row(f"{OURS} / best peer", (_over_best(results, form, c) for c in plan.connections)))
    return "\n".join(lines)


def _latencies(results: Results, plan: Plan, form: Form, against: str) -> list[str]:
    """Ratios of latencies and processor time to those of another checkout; less than 1 is faster."""

    def ratio(figure: Figure, connections: int) -> str:
        ours, other = (results.figures(figure, name, form, connections) for name in (OURS, against))
        return Spread.of_ratios(ours, other).shown(".2f")

    times: dict[str, Figure] = {"p50": "p50", "p99": "p99", "us of processor": "processor"}
    return [_row(f"  {name}", (ratio(figure, count) for count in plan.connections)) for name, figure in times.items()]


def _over_best(results: Results, form: Form, connections: int) -> str:
    peer = results.best_peer(form, connections)
    return "" if peer is None else results.share(peer, form, connections).shown(".2f")


def _footprints(results: Results) -> str:
    names = [*dict.fromkeys(each.server for each in results.footprints)]
    seconds = {name: [each.seconds for each in results.footprints if each.server == name] for name in names}
    resident = {name: [each.resident / 2**20 for each in results.footprints if each.server == name] for name in names}
    ordered = [name for name in (OURS, PLAIN, results.against) if name in seconds]
    lines = [_row("one worker", ["start to ready, s", "idle RSS, MiB"])]
    for name in ordered:
        lines.append(_row(name, [Spread.of(seconds[name]).shown(".2f"), Spread.of(resident[name]).shown(".0f")]))
    for name in ordered[1:]:
        ratios = (Spread.of_ratios(each[OURS], each[name]).shown(".2f") for each in (seconds, resident))
        lines.append(_row(f"{OURS} / {name}", ratios))
    return "\n".join(lines)


def _row(label: str, cells: Iterable[str]) -> str:
    return f"{label:{LABEL_WIDTH}}" + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells)
