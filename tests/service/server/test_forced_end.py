"""A process ends in its grace, even if threads of it never do."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service.processes import start, wait_until
from tests.service.server.connections import ready

# Arrays take for ever to read, and requests have half a second at the end.
ENDLESS = """
import sys, time, service.codecs.decode, service.server.server
from service.main import serve
def read_array(*arguments):
    print("reading for ever", file=sys.stderr)
    while True:
        time.sleep(0.01)
service.codecs.decode.read_array = read_array
service.server.server.GRACE_SECONDS = 0.5
sys.exit(serve(sys.argv[1:]))
"""
ARRAY = (
    b"POST /encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-npy\r\nContent-Length: 6\r\n\r\n\x93NUMPY"
)


@contextmanager
def reading_for_ever(bundles: Path, socket_file: Path, log: list[str], *flags: str) -> Iterator[subprocess.Popen[str]]:
    """A service with a thread that never ends, which listens on a Unix socket."""
    process = start("--model", str(bundles / "grey"), "--uds", str(socket_file), *flags)
    assert process.stderr
    try:
        wait_until(lambda: ready(socket_file))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(socket_file))
            client.sendall(ARRAY)
            log.extend(iter(process.stderr.readline, "reading for ever\n"))
            yield process
            log.extend(process.stderr)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("signals", "drain", "code"), [(1, "0", 0), (2, "600", 1)])
def test_a_process_ends_whatever_its_threads_do(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: int, drain: str, code: int
):
    """By one signal after the grace, by a second one soon; its socket's file is removed as ever."""
    monkeypatch.setattr("tests.service.processes.START", ENDLESS)
    log: list[str] = []
    with reading_for_ever(bundles, tmp_path / "s", log, "--drain-seconds", drain) as process:
        for _ in range(signals):  # the second once the first is heard: two that wait are one
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: not ready(tmp_path / "s"))
        assert process.wait(60) == code
        assert not (tmp_path / "s").exists()
    assert sum("the process ends now, though these threads still run" in line for line in log) == 1
