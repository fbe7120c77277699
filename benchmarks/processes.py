"""A server as a process: started, asked until it answers, weighed and stopped. Linux, as /proc is read."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from benchmarks.protocols import Half, Message
from benchmarks.servers import ROOT, Server

READY_SECONDS = 120
STOP_SECONDS = 20
POLL_SECONDS, SETTLE_SECONDS = 0.01, 0.1
PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class ServerError(RuntimeError):
    """A server that doesn't start, or answers with an error; with the end of its log."""


class Process:
    """A server that runs while the block does. ``seconds`` is how long it took until the first right answer."""

    def __init__(self, server: Server, bundle: Path, workers: int, first: Message) -> None:
        self.server = server
        self.port = _free_port()
        self._first = first
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            server.command(bundle, self.port, workers),
            cwd=ROOT,
            env=os.environ | server.environment(bundle, workers),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.seconds = 0.0

    def __enter__(self) -> Process:
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        self.seconds = time.perf_counter() - self._started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def ask(self, message: Message) -> bytes:
        """The content of the answer; raises ServerError where it is no 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", message.path, message.body, {"Content-Type": message.content_type})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ServerError(f"{self.server.name}: {answer.status} {content[:500]!r}\n{self._said()}")
        return content

    def answer(self, half: Half, body: bytes) -> bytes:
        """PNG or JSON, as the server's protocol gives it."""
        protocol = self.server.protocol
        return protocol.unwrap(half, self.ask(protocol.wrap(half, body)))

    def pause(self) -> None:
        """Stop its processes where they are, so that it takes nothing from others."""
        for pid in self.tree():
            _signal(pid, signal.SIGSTOP)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run during the block. Workers go on first, or who watches over them would think that they hang."""
        watching, *workers = self.tree()
        for pid in workers:
            _signal(pid, signal.SIGCONT)
        time.sleep(SETTLE_SECONDS)
        _signal(watching, signal.SIGCONT)
        yield
        self.pause()

    def resident(self) -> int:
        """Bytes of memory that its processes hold together; what they share counts for each."""
        return PAGE * sum(int(statm.split()[1]) for statm in self._files("statm"))

    def processor_seconds(self) -> float:
        """Processor time that its processes have taken up to now."""
        times = (stat.rsplit(")", 1)[1].split()[11:13] for stat in self._files("stat"))
        return sum(int(user) + int(system) for user, system in times) / TICKS

    def tree(self) -> list[int]:
        """Its process and all that come from it, parents first."""
        pids = [self._process.pid]
        for pid in pids:
            for children in _texts(Path(f"/proc/{pid}/task").glob("*/children")):
                pids += map(int, children.split())
        return pids

    def _files(self, name: str) -> Iterator[str]:
        """That file of /proc of each of its processes."""
        return _texts(Path(f"/proc/{pid}/{name}") for pid in self.tree())

    def _wait(self) -> None:
        while True:
            if self._process.poll() is not None:
                raise ServerError(f"{self.server.name} ended with {self._process.returncode}\n{self._said()}")
            try:
                self.ask(self._first)
                return
            except (OSError, http.client.HTTPException, ServerError) as error:
                if time.perf_counter() - self._started > READY_SECONDS:
                    raise ServerError(f"{self.server.name} isn't ready: {error}\n{self._said()}") from error
            time.sleep(POLL_SECONDS)

    def _stop(self) -> None:
        tree = self.tree()
        for pid in tree:
            _signal(pid, signal.SIGCONT)
        _signal(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        for pid in tree:  # also those that it has left behind
            _signal(pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-3000:]


def busy_seconds() -> float:
    """Processor time that all processes of this machine have taken up to now, and others of the same host."""
    user, nice, system, _idle, _wait, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS


def _signal(pid: int, sent: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sent)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _texts(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        with suppress(ProcessLookupError, FileNotFoundError):  # of what has just ended
            yield file.read_text()
