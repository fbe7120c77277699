"""The service as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

START = "import sys; from service.main import serve; sys.exit(serve(sys.argv[1:]))"
# Whose service is started, if it is not this checkout's.
CHECKOUT: Path | None = None
# How long a condition may take to hold, or an answer to come, on a busy machine.
MOST_SECONDS = 60


class Running(NamedTuple):
    """A service that was started."""

    process: subprocess.Popen[str]
    url: str
    log: list[str]
    """What it has logged since, except of requests."""

    @property
    def workers(self) -> list[int]:
        """Process ids of its workers, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if "multiprocessing.spawn" in _command(int(pid))]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)


def start(*flags: str) -> subprocess.Popen[str]:
    """A service with these flags; what it logs is in ``stderr``."""
    return subprocess.Popen([sys.executable, "-c", START, *flags], stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)


@contextmanager
def running(bundle: Path, *flags: str) -> Iterator[Running]:
    """A service of one bundle that is ready."""
    process = start("--model", str(bundle), "--port", "0", *flags)
    try:
        url = url_of(process)
        log: list[str] = []
        threading.Thread(target=_drain, args=(process, log), daemon=True).start()
        wait_ready(url)
        yield Running(process, url, log)
    finally:
        process.kill()
        process.wait()


def _drain(process: subprocess.Popen[str], log: list[str]) -> None:
    """Read what a service logs: it would stand still once nobody did."""
    assert process.stderr
    with process.stderr:
        log.extend(line for line in process.stderr if "spritevae.access" not in line)


def url_of(process: subprocess.Popen[str]) -> str:
    """Where a service listens, as it logs it."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"http://[\d.]+:\d+", line):
            return found.group()
    raise AssertionError("it never listened")


def wait_until(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail if it does not within a minute."""
    deadline = time.monotonic() + MOST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.01)


def wait_ready(url: str) -> None:
    """Return once it is ready."""
    wait_until(lambda: httpx2.get(f"{url}/health/ready", timeout=MOST_SECONDS).status_code == 200)


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found.group(1)) * 1024


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
