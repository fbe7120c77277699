"""Load by wrk (https://github.com/wg/wrk), one thread of it: requests from a file, none like the last."""

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
    """Load that was not answered as it should be."""


class Load(NamedTuple):
    """What came of it: answers, how many per second, and microseconds that half and 99 % of them took at most.

    ``processor_seconds`` is what wrk itself took.
    """

    requests: int
    rate: float
    p50: int
    p99: int
    processor_seconds: float


def write_requests(file: Path, requests: Iterable[bytes]) -> None:
    """Whole HTTP requests as a file for ``put``."""
    with file.open("wb") as out:
        for request in requests:
            out.write(b"%d\n%s" % (len(request), request))


def put(port: int, requests: Path, connections: int, seconds: float, first: int) -> Load:
    """Keep so many connections busy, beginning with the request after number ``first``.

    Raises LoadError where wrk fails or an answer is anything but a success.
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
    """The figures in the last line of what wrk printed; raises LoadError where requests failed, or none was made."""
    figures = json.loads(output.splitlines()[-1])
    failed = {name: figures[name] for name in FAILURES if figures[name]}
    if failed or not figures["requests"]:
        raise LoadError(f"of {figures['requests']} requests failed: {failed or 'all'}")
    rate = figures["requests"] / figures["microseconds"] * 1e6
    return Load(figures["requests"], rate, figures["p50"], figures["p99"], processor_seconds)
