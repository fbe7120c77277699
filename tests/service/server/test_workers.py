"""Workers that are killed, and signals that are sent."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import alive, running, start
from tests.service.toys import toy_bundle


def test_a_worker_that_is_killed_is_replaced_and_the_port_never_closes(bundles: Path):
    with running(bundles / "grey", "--workers", "2") as service:
        first = service.workers
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        deadline = time.monotonic() + 60
        while len(now := service.workers) < 2 or first[0] in now:
            assert httpx2.get(f"{service.url}/decode").status_code == 200
            assert time.monotonic() < deadline
        assert first[1] in now


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
        deadline = time.monotonic() + 60
        while any(alive(pid) for pid in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_what_no_worker_can_serve_is_said_once_and_ends_all(tmp_path: Path):
    wrong = toy_bundle(tmp_path / "wrong", golden_error=0.01)
    process = start("--model", str(wrong), "--port", "0", "--workers", "3")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.count("spritevae serve: error:") == 1
    assert "golden vectors are not reproduced" in stderr
