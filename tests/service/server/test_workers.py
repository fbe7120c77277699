"""Workers that are killed or die, and signals that are sent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from service.server.workers import pause_seconds
from tests.service.processes import alive, running, start, wait_until
from tests.service.toys import toy_bundle
from tests.support import ROOT

# A supervisor of workers that are no services, with other pauses. It prints the index of each worker that ends.
SUPERVISOR = """
import logging, os, signal, sys, time
from service.server import stop_signals, workers

def dies(index, first):
    os._exit(3)

def dies_once(index, first):
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getppid(), signal.SIGTERM)
    while not stop_signals.deferred():
        time.sleep(0.01)
    return 0

if __name__ == "__main__":
    stop_signals.defer_stop_signals()
    logging.basicConfig(format="%(message)s")
    name, count, first, longest = sys.argv[1:]
    workers.FIRST_PAUSE_SECONDS, workers.LONGEST_PAUSE_SECONDS = float(first), float(longest)
    ended = lambda index, pid: print("ended", index, flush=True)
    sys.exit(workers.supervise(globals()[name], int(count), ended, lambda: print("last")))
"""


def supervised(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A supervisor that has ended."""
    script = tmp_path / "supervisor.py"
    script.write_text(SUPERVISOR)
    return subprocess.run(
        [sys.executable, script, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_worker_that_is_killed_is_replaced_and_the_port_never_closes(bundles: Path):
    with running(bundles / "grey", "--workers", "2") as service:
        first = service.workers
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)

        def replaced() -> bool:
            assert httpx2.get(f"{service.url}/decode").status_code == 200
            return len(service.workers) == 2 and first[0] not in service.workers

        wait_until(replaced)
        assert first[1] in service.workers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_end_with_their_parent_and_well(bundles: Path, number: int):
    with running(bundles / "grey", "--workers", "2", "--drain-seconds", "0") as service:
        workers = service.workers
        service.process.send_signal(number)
        assert service.process.wait(60) == 0
        assert not any(alive(pid) for pid in workers)


def test_workers_whose_parent_is_killed_end(bundles: Path):
    with running(bundles / "grey", "--workers", "2", "--drain-seconds", "0") as service:
        workers = service.workers
        service.process.kill()
        wait_until(lambda: not any(alive(pid) for pid in workers))


def test_what_no_worker_can_serve_is_said_once_and_ends_all(tmp_path: Path):
    wrong = toy_bundle(tmp_path / "wrong", golden_error=0.01)
    process = start("--model", str(wrong), "--port", "0", "--workers", "3")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.count("spritevae serve: error:") == 1
    assert "golden vectors are not reproduced" in stderr


def test_the_pause_before_a_restart_doubles_up_to_half_a_minute():
    assert [pause_seconds(deaths) for deaths in range(9)] == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    for deaths in range(2, 100):
        assert pause_seconds(deaths) == min(2 ** (deaths - 2), 30)


@pytest.mark.parametrize("count", [1, 2])
def test_workers_that_die_again_and_again_are_waited_for_longer_and_longer_and_then_given_up(
    tmp_path: Path, count: int
):
    begin = time.monotonic()
    ended = supervised(tmp_path, "dies", str(count), "0.1", "0.4")
    assert time.monotonic() - begin >= 0.1 + 0.2 + 0.4 + 0.4
    assert ended.returncode == 1
    *deaths, last = ended.stderr.splitlines()
    assert last == "every worker died 6 times in a row soon after its start: the service gives up"
    starts = ["now", "in 0.1 s", "in 0.2 s", "in 0.4 s", "in 0.4 s", "in 0.4 s"]
    for number, when in enumerate(starts, 1):
        line = re.compile(
            rf"worker \d+ ended after \S+ s: exit code 3 \({number} in a row\); another one starts {when}"
        )
        assert len([each for each in deaths if line.fullmatch(each)]) == count
    assert ended.stdout.split("\n").count("last") == 1
    for index in range(count):
        assert ended.stdout.count(f"ended {index}") >= 6


def test_a_worker_that_dies_once_is_replaced_at_once(tmp_path: Path):
    ended = supervised(tmp_path, "dies_once", "1", "600", "600")
    assert ended.returncode == 0
    assert re.fullmatch(
        r"worker \d+ ended after .* s: killed by SIGKILL \(1 in a row\); another one starts now\n", ended.stderr
    )
    assert ended.stdout.splitlines().count("ended 0") == 2
