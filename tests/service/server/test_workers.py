"""Workers that are killed, and signals that are sent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import alive, running, start
from tests.service.toys import toy_bundle

HEAD = b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_makes_it_unready_at_once_and_it_serves_on_for_the_drain_delay(bundles: Path, workers: str):
    with running(bundles / "grey", "--workers", workers, "--drain-seconds", "1.5") as service:
        begin = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        unready = served = 0
        while time.monotonic() < begin + 1.2:
            if httpx2.get(f"{service.url}/health/ready").status_code == 503:
                unready += 1
            elif time.monotonic() > begin + 0.3:
                raise AssertionError("still ready")
            answer = httpx2.get(f"{service.url}/decode")
            assert answer.status_code == 200
            served += 1
        assert answer.headers["Connection"] == "close"
        assert unready > 5
        assert service.process.wait(60) == 0
        assert time.monotonic() - begin > 1.4


def test_a_request_in_flight_is_finished(bundles: Path):
    with running(bundles / "grey", "--drain-seconds", "0") as service:
        code = []
        body = {"keyframes": [{"shape": "heart"}, {"shape": "square"}] * 2, "steps": 150}
        headers = {"Accept": "image/webp"}
        ask = threading.Thread(
            target=lambda: code.append(
                httpx2.post(f"{service.url}/interpolate", json=body, headers=headers, timeout=60).status_code
            )
        )
        ask.start()
        time.sleep(0.05)
        service.process.send_signal(signal.SIGTERM)
        ask.join()
        assert code == [200]
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_let_in_while_what_is_in_flight_is_finished(bundles: Path, workers: str):
    with (
        running(bundles / "grey", "--workers", workers, "--drain-seconds", "0") as service,
        socket.create_connection(service.address) as slow,
    ):
        body = b'{"attributes": {}}'
        slow.sendall(HEAD % len(body) + body[:5])
        time.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(service.address)
        assert service.process.poll() is None
        slow.sendall(body[5:])
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_signal_does_not_wait(bundles: Path, workers: str):
    with running(bundles / "grey", "--workers", workers, "--drain-seconds", "60") as service:
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert service.process.poll() is None
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30) == 1


@pytest.mark.parametrize("pause", [0.3, 0.6, 1.0])
def test_sigterm_while_workers_start_ends_them_too(bundles: Path, pause: float):
    process = start("--model", str(bundles / "grey"), "--port", "0", "--drain-seconds", "0", "--workers", "2")
    time.sleep(pause)
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
