"""Clients that stall, and how answers leave."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import running

HEAD = b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


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
