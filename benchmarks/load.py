"""Load by wrk (https://github.com/wg/wrk) on one thread, with prepared requests from a file."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).with_name("wrk.lua")
FAILURES = ("connect", "read", "write", "status", "timeout")


class LoadError(RuntimeError):
    """wrk failed, or a request did not succeed."""


class Load(NamedTuple):
    """The result of one run of wrk: requests per second, and latencies in microseconds (median, 99th percentile).

    ``processor_seconds`` is processor time of wrk itself.
    """

    requests: int
    rate: float
    p50: int
    p99: int
    processor_seconds: float


def write_requests(file: Path, requests: Iterable[bytes]) -> None:
    """Write whole HTTP requests to a file for ``run_wrk``, each after a line with its length."""
    with file.open("wb") as out:
        for request in requests:
            out.write(b"%d\n%s" % (len(request), request))


def run_wrk(port: int, requests: Path, connections: int, seconds: float, first: int) -> Load:
    """Keep ``connections`` connections busy for ``seconds``, beginning with the request after number ``first``.

    Raises LoadError if wrk fails or a response is not a success.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", str(requests), str(first)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise LoadError(f"wrk failed: {ended.stdout}{ended.stderr}")
    return parse(ended.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def parse(output: str, processor_seconds: float) -> Load:
    """The figures in the last line that wrk printed; raises LoadError if requests failed or none was made."""
    figures = json.loads(output.splitlines()[-1])
    failed = {name: figures[name] for name in FAILURES if figures[name]}
    if failed or not figures["requests"]:
        raise LoadError(f"of {figures['requests']} requests failed: {failed or 'all'}")
    rate = figures["requests"] / figures["microseconds"] * 1e6
    return Load(figures["requests"], rate, figures["p50"], figures["p99"], processor_seconds)
