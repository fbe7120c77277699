"""What was measured, as a table: rates, and how many times each of them ours is."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measure import Footprint, Native, Plan, Sample
from benchmarks.protocols import HALVES, Half
from benchmarks.servers import BARE, OURS, PLAIN, Server

NATIVE = "onnxruntime, one thread"
LABEL, CELL = 36, 24


@dataclass(frozen=True)
class Spread:
    """Median, least and most of a figure over the rounds."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """Of one figure per round."""
        listed = [*figures]
        return cls(median(listed), min(listed), max(listed))

    def shown(self, form: str) -> str:
        """As text."""
        middle, least, most = (format(figure, form) for figure in (self.middle, self.least, self.most))
        return f"{middle} ({least}-{most})"


@dataclass(frozen=True)
class Results:
    """All that was measured with one bundle."""

    model: str
    digest: str
    samples: list[Sample]
    native: list[Native]
    footprints: list[Footprint]

    def processor(self, server: str, half: Half, connections: int) -> list[float]:
        """Microseconds of processor time per request, one per round."""
        return [each.processor for each in self._of(server, half, connections)]

    def rates(self, server: str, half: Half, connections: int) -> list[float]:
        """Requests per second, one per round; onnxruntime's are the same at all numbers of connections."""
        if server == NATIVE:
            return [each.rate for each in self.native if each.half == half]
        return [each.rate for each in self._of(server, half, connections)]

    def _of(self, server: str, half: Half, connections: int) -> list[Sample]:
        case = (server, half, connections)
        return [each for each in self.samples if (each.server, each.half, each.connections) == case]

    def share(self, server: str, half: Half, connections: int) -> Spread:
        """How many times another's rate ours is, of rates in the same round."""
        own, other = (self.rates(name, half, connections) for name in (OURS, server))
        return Spread.of(a / b for a, b in zip(own, other, strict=True))

    def best_peer(self, half: Half, connections: int) -> str | None:
        """The fastest of the peers."""
        peers = {each.server for each in self.samples} - {OURS, BARE}
        return max(peers, key=lambda name: median(self.rates(name, half, connections)), default=None)


def hardware() -> str:
    """The processor, how many cores of it there are, and the system."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return f"{', '.join(sorted(models)) or platform.machine()}, {os.cpu_count()} cores, {platform.platform()}"


def noise(results: Iterable[Results]) -> str:
    """How much of the machine something else took."""
    shares = [sample.others for each in results for sample in each.samples]
    return f"other processes took {median(shares):.0%} of the processor during a measurement, at most {max(shares):.0%}"


def table(results: Results, plan: Plan, servers: Sequence[Server]) -> str:
    """The rates of each half, and start and memory."""
    names = [server.name for server in servers]
    blocks = [_rates(results, plan, half, names) for half in HALVES]
    if results.footprints:
        blocks.append(_footprints(results.footprints))
    return f"{results.model} ({results.digest[:12]})\n\n" + "\n\n".join(blocks)


def _rates(results: Results, plan: Plan, half: Half, names: Sequence[str]) -> str:
    lines = [
        f"{half}: requests/s, median (range) of {plan.rounds} rounds of {plan.seconds} s",
        _row("connections", map(str, plan.connections)),
    ]
    for name in [*names, NATIVE]:
        lines.append(_row(name, (Spread.of(results.rates(name, half, c)).shown(",.0f") for c in plan.connections)))
    for name in names:
        spent = (Spread.of(results.processor(name, half, count)).shown(",.0f") for count in plan.connections)
        lines.append(_row(f"{name}, us of processor", spent))
    if OURS in names:
        for name in [*(name for name in names if name != OURS), NATIVE]:
            shares = (results.share(name, half, count).shown(".2f") for count in plan.connections)
            lines.append(_row(f"{OURS} / {name}", shares))
        lines.append(_row(f"{OURS} / best peer", (_over_best(results, half, count) for count in plan.connections)))
    return "\n".join(lines)


def _over_best(results: Results, half: Half, connections: int) -> str:
    peer = results.best_peer(half, connections)
    return "" if peer is None else results.share(peer, half, connections).shown(".2f")


def _footprints(measured: Sequence[Footprint]) -> str:
    seconds = {name: [each.seconds for each in measured if each.server == name] for name in (OURS, PLAIN)}
    resident = {name: [each.resident / 2**20 for each in measured if each.server == name] for name in (OURS, PLAIN)}
    lines = [_row("one worker", ["start to ready, s", "idle RSS, MiB"])]
    for name in (OURS, PLAIN):
        lines.append(_row(name, [Spread.of(seconds[name]).shown(".2f"), Spread.of(resident[name]).shown(".0f")]))
    shares = (Spread.of(a / b for a, b in zip(each[OURS], each[PLAIN], strict=True)) for each in (seconds, resident))
    return "\n".join([*lines, _row(f"{OURS} / {PLAIN}", (share.shown(".2f") for share in shares))])


def _row(label: str, cells: Iterable[str]) -> str:
    return f"{label:{LABEL}}" + "".join(f"{cell:>{CELL}}" for cell in cells)
