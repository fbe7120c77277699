"""The command ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.load import LoadError
from benchmarks.measure import Bench, OrtBaseline, Plan, Sample
from benchmarks.processes import ServerError
from benchmarks.protocols import COMMON_FORMS
from benchmarks.reference import write_reference
from benchmarks.report import Results, hardware, noise, table
from benchmarks.requests import WrongAnswer
from benchmarks.servers import ALL_FORMS, OURS, PLAIN, SERVERS, CheckoutError, Server, install, other_checkout
from export.bundle import Bundle, BundleError, read_bundle
from spritevae.commands.storage_errors import explain
from training.atomic_files import write_json
from training.data.dsprites import ATTRIBUTES


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__, allow_abbrev=False
    )
    command.add_argument("--seconds", type=int, default=4, help="length of a measurement (default 4)")
    command.add_argument("--rounds", type=int, default=5, help="how often the servers take turns (default 5)")
    command.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64], metavar="N")
    command.add_argument("--workers", type=int, default=os.cpu_count(), help="processes per server (default: cores)")
    command.add_argument(
        "--servers", nargs="+", choices=SERVERS, metavar="SERVER", help=f"of {', '.join(SERVERS)} (default: installed)"
    )
    command.add_argument(
        "--forms",
        nargs="+",
        choices=ALL_FORMS,
        metavar="FORM",
        help=f"of {', '.join(ALL_FORMS)} (default: {' and '.join(COMMON_FORMS)}; all with --against). Peers answer "
        f"only {' and '.join(COMMON_FORMS)}",
    )
    command.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="measure the service of another checkout of this project too, for example a git worktree of an earlier "
        "commit, and print the ratio of each figure to it",
    )
    command.add_argument(
        "--model", type=Path, metavar="BUNDLE", help="measure with this bundle too, for example the shipped one"
    )
    command.add_argument("--install", action="store_true", help="install missing servers, each in its environment")
    command.add_argument("--out", type=Path, metavar="FILE", help="write all figures as JSON")
    return command


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 1 if a server fails or responds wrongly, 2 if something is missing."""
    given = parser().parse_args(argv)
    if shutil.which("wrk") is None:
        return _complain("wrk is missing, which makes the load: apt-get install wrk", 2)
    servers = [SERVERS[name] for name in given.servers or SERVERS]
    missing = [server for server in servers if not server.installed()]
    if given.install:
        for server in missing:
            install(server)
    elif missing and given.servers:
        return _complain(f"not installed: {', '.join(each.name for each in missing)}; add --install", 2)
    else:
        servers = [server for server in servers if server not in missing]
        print(f"left out, as not installed (--install does it): {', '.join(each.name for each in missing) or 'none'}")
    try:
        against = other_checkout(given.against) if given.against else None
        if given.model and not measurable(read_bundle(given.model)):
            return _complain(f"{given.model}: only bundles of dSprites in a softmax space can be measured", 2)
    except (BundleError, CheckoutError) as error:
        return _complain(str(error), 2)
    forms = given.forms or (ALL_FORMS if against else COMMON_FORMS)
    plan = Plan(given.seconds, given.rounds, tuple(given.connections), given.workers, tuple(forms))
    try:
        with tempfile.TemporaryDirectory(prefix="spritevae-benchmark-") as folder:
            _run(plan, servers, against, Path(folder), given.model, given.out)
    except (ServerError, LoadError, WrongAnswer) as error:
        return _complain(str(error), 1)
    except OSError as error:
        return _complain(explain(error), 1)
    return 0


def _run(
    plan: Plan, peers: list[Server], against: Server | None, folder: Path, model: Path | None, out: Path | None
) -> None:
    reference = folder / "reference"
    write_reference(reference)
    machine = hardware()
    servers = [*peers, *([against] if against else [])]
    versions = {server.name: server.versions() for server in servers}
    everything: dict[str, Any] = {"hardware": machine, "versions": versions, "plan": asdict(plan)}
    measured = []
    for bundle in [reference] if model is None else [reference, model.resolve()]:
        measured.append(measure(bundle, plan, servers, folder, against))
        print(f"\n{table(measured[-1], plan, servers)}\n")
    everything["models"] = [as_json(results) for results in measured]
    print(f"{machine}; {noise(measured)}")
    for name, found in versions.items():
        print(f"{name}: {', '.join(f'{package} {version}' for package, version in found.items())}")
    if out is not None:
        write_json(out, everything)


def measure(
    bundle: Path, plan: Plan, servers: Sequence[Server], folder: Path, against: Server | None = None
) -> Results:
    """All figures of a bundle. Start-up and memory are measured if there is something to compare ours with."""
    manifest = read_bundle(bundle).manifest
    bench = Bench(bundle, folder, plan)
    started = [server for server in servers if server.name in (OURS, PLAIN) or server == against]
    comparable = len(started) > 1 and any(server.name == OURS for server in started)
    footprints = [*bench.footprints(started)] if comparable else []
    taken = [*bench.samples(servers)]
    samples = [each for each in taken if isinstance(each, Sample)]
    native = [each for each in taken if isinstance(each, OrtBaseline)]
    name = against.name if against else None
    return Results(manifest.name, manifest.digest, samples, native, footprints, name)


def measurable(bundle: Bundle) -> bool:
    """Whether it takes sprites, and z holds the weights of dSprites' classes one by one, as peers expect."""
    sizes = [(attribute.name, attribute.size) for attribute in bundle.attributes]
    wanted = [(attribute.name, attribute.size) for attribute in ATTRIBUTES]
    return sizes == wanted and bundle.manifest.latent_length == ATTRIBUTES.total


def as_json(results: Results) -> dict[str, Any]:
    """The results as plain dictionaries."""
    listed = {kind: [each._asdict() for each in getattr(results, kind)] for kind in ("samples", "native", "footprints")}
    return {"model": results.model, "digest": results.digest, **listed}


def _complain(what: str, code: int) -> int:
    print(f"benchmarks: error: {what}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
