"""How a server ends: by one signal after the drain delay, by a second one at once."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx2
import pytest

from service.server.response_transport import CONTINUE
from tests.service.processes import Running, running, wait_until

HEAD = (
    b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Expect: 100-continue\r\n\r\n"
)


def unready(service: Running) -> bool:
    """Whether no worker is ready: several requests, each on a connection of its own, are answered with 503."""
    return all(httpx2.get(f"{service.url}/health/ready").status_code == 503 for _ in range(10))


def refuses(address: tuple[str, int]) -> bool:
    """Whether nobody listens."""
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_makes_it_unready_and_it_serves_on(bundles: Path, workers: str):
    with running(bundles / "grey", "--workers", workers, "--drain-seconds", "600") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: unready(service))
        for _ in range(10):
            answer = httpx2.get(f"{service.url}/decode")
            assert answer.status_code == 200
            assert answer.headers["Connection"] == "close"
        assert unready(service)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_sigterm_it_ends_not_before_the_drain_delay(bundles: Path, workers: str):
    with running(bundles / "grey", "--workers", workers, "--drain-seconds", "1.5") as service:
        begin = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        assert time.monotonic() - begin >= 1.5


def test_a_stream_that_has_begun_is_finished(bundles: Path):
    body = {"keyframes": [{"shape": "heart"}, {"shape": "square"}] * 2, "steps": 150}
    headers = {"Accept": "text/event-stream"}
    with (
        running(bundles / "grey", "--drain-seconds", "0") as service,
        httpx2.stream("POST", f"{service.url}/interpolate", json=body, headers=headers, timeout=60) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "event: frame"
        service.process.send_signal(signal.SIGTERM)
        assert "event: done" in list(lines)
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_let_in_while_what_is_in_flight_is_finished(bundles: Path, workers: str):
    with (
        running(bundles / "grey", "--workers", workers, "--drain-seconds", "0") as service,
        socket.create_connection(service.address, 60) as slow,
    ):
        body = b'{"attributes": {}}'
        slow.sendall(HEAD % len(body))
        assert slow.recv(100) == CONTINUE  # the request is in hand
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(service.address))
        assert service.process.poll() is None
        slow.sendall(body)
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_signal_ends_it_without_the_drain_delay(bundles: Path, workers: str):
    with running(bundles / "grey", "--workers", workers, "--drain-seconds", "600") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: unready(service))
        assert service.process.poll() is None
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 1
