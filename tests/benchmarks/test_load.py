from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import LoadError, parse, write_requests

PRINTED = {"requests": 3000, "microseconds": 2_000_000, "p50": 640, "p99": 1900}
FAILURES = {"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}


def output(**changed: Any) -> str:
    """Output of wrk, with the script's line at the end."""
    head = "Running 2s test @ http://127.0.0.1:8000\n  1 threads and 16 connections\n"
    return f"{head}{json.dumps(PRINTED | FAILURES | changed)}\n"


def test_the_rate_is_requests_over_the_measured_time() -> None:
    load = parse(output(), processor_seconds=0.5)
    assert (load.rate, load.requests, load.p50, load.p99, load.processor_seconds) == (1500, 3000, 640, 1900, 0.5)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_single_failed_request_fails_the_measurement(failure: str) -> None:
    with pytest.raises(LoadError, match=f"'{failure}': 1"):
        parse(output(**{failure: 1}), processor_seconds=0)


def test_a_measurement_without_any_request_fails() -> None:
    with pytest.raises(LoadError, match="all"):
        parse(output(requests=0), processor_seconds=0)


def test_requests_are_written_with_their_lengths(tmp_path: Path) -> None:
    write_requests(tmp_path / "requests", [b"GET / HTTP/1.1\r\n\r\n", b"\n\0"])
    assert (tmp_path / "requests").read_bytes() == b"18\nGET / HTTP/1.1\r\n\r\n2\n\n\0"
