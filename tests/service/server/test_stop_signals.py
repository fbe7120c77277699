"""Signals that come while a service starts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.service.processes import start


@pytest.mark.parametrize("pause", [0.3, 0.6, 1.0])
def test_sigterm_while_workers_start_ends_them_too(bundles: Path, pause: float):
    process = start("--model", str(bundles / "grey"), "--port", "0", "--drain-seconds", "0", "--workers", "2")
    time.sleep(pause)  # an arbitrary moment of the start
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM), stderr  # before it holds signals, it ends as any process


def test_a_signal_that_came_before_the_supervisor_is_passed_on_once():
    code = """
import signal
from service.server import stop_signals
from service.server import workers
stop_signals.defer_stop_signals()
signal.raise_signal(signal.SIGTERM)
arrivals = workers.receive_signals()
assert arrivals.recv(100) == bytes([signal.SIGTERM])
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_sigterm_while_it_loads_ends_it_too(bundles: Path):
    process = start("--model", str(bundles / "grey"), "--port", "0", "--drain-seconds", "0")
    assert process.stderr
    for line in process.stderr:
        if "listening" in line:
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stderr.close()
