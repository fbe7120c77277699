"""``python -m tests.soak``: every scenario at its full size, or those named; ``--write`` keeps the figures.

Fuzzers take as long as they are given, and run only if they are named. The exit code is 1 where a limit is not kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from tests.service import processes
from tests.soak import (
    bombing,
    damage,
    ending,
    flooding,
    forging,
    fuzzing,
    killing,
    leaking,
    overload,
    patience,
    picturing,
    siege,
    speaking,
    stalling,
    swaps,
    truncation,
)
from tests.soak.bombs import BOMBS
from tests.soak.figures import Figure, table
from tests.soak.flooding import FLOODS
from tests.support import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
SCENARIOS: dict[str, Callable[[], Iterator[Figure]]] = {
    "swaps": partial(swaps.run, 50),
    "damage": partial(damage.run, 60),
    "forging": partial(forging.run, 400),
    "patience": partial(patience.run, 1000, 200),
    "ending": partial(ending.run, 10, 2, blind=5),
    "killing": partial(killing.run, 20, 2),
    "bombing": partial(bombing.run, BOMBS, 5, apart=True),
    "truncation": partial(truncation.run, 200),
    "fuzzing": partial(fuzzing.run, 2600, 150),
    "stalling": partial(stalling.run, 300, 300, 15),
    "overload": partial(overload.run, 60, 3, 10),
    "leaking": partial(leaking.run, 100_000, 20_000, warm=0.3, connections=16),
    "siege": partial(siege.run, 600, 200),
    "flooding": partial(flooding.run, FLOODS, 20),
}
# What they do is made at random, and is the same for a seed.
FUZZERS: dict[str, Callable[[float, int], Iterator[Figure]]] = {"speaking": speaking.run, "picturing": picturing.run}


def main() -> int:
    """Run scenarios, and print their tables as they come."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    known = [*SCENARIOS, *FUZZERS, []]
    parser.add_argument("names", nargs="*", choices=known, help="all scenarios otherwise")
    parser.add_argument("--seconds", type=float, default=3600, help="of a fuzzer (default 3600)")
    parser.add_argument("--seed", type=int, default=0, help="of a fuzzer (default 0)")
    parser.add_argument(
        "--service", type=Path, metavar="CHECKOUT", help="whose service is started, for example an earlier commit's"
    )
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.relative_to(ROOT)}")
    given = parser.parse_args()
    processes.CHECKOUT = given.service
    held = True
    for name in given.names or SCENARIOS:
        begin = time.monotonic()
        figures = list(FUZZERS[name](given.seconds, given.seed) if name in FUZZERS else SCENARIOS[name]())
        held &= all(figure.holds for figure in figures)
        text = f"{table(figures)}\n{time.monotonic() - begin:.0f} s, {machine()}."
        print(f"{name}\n{text}\n", flush=True)
        if given.write:
            write(DOCUMENT, name, text)
    return 0 if held else 1


def machine() -> str:
    """What the figures were measured on."""
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {models[0] if models else platform.machine()}, Python {platform.python_version()}, "
        f"onnxruntime {version('onnxruntime')}"
    )


def write(document: Path, name: str, text: str) -> None:
    """Put a scenario's figures between its marks in a document."""
    marks = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.read_text().partition(marks[0])
    _, ended, after = rest.partition(marks[1])
    if not (found and ended):
        raise SystemExit(f"{document}: has no marks {marks[0].strip()} and {marks[1]}")
    document.write_text(f"{before}{marks[0]}{text}\n{marks[1]}{after}")


if __name__ == "__main__":
    raise SystemExit(main())
