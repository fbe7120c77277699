"""A server as a process: started, waited for, measured, paused and stopped. For Linux, as it reads /proc."""

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

from benchmarks.protocols import Form, Message
from benchmarks.servers import Server

READY_SECONDS = 120
STOP_SECONDS = 20
POLL_SECONDS = 0.01
# What resumed workers get before their parent is resumed.
RESUME_SECONDS = 0.1
PAGE_BYTES, TICKS_PER_SECOND = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class ServerError(RuntimeError):
    """A server that doesn't start, or responds with an error; with the end of its log."""


class Process:
    """A server that runs while the block does. ``seconds``: from its start to the first response."""

    def __init__(self, server: Server, bundle: Path, workers: int, first: Message) -> None:
        self.server = server
        self.port = _free_port()
        self._first = first
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            server.command(bundle, self.port, workers),
            cwd=server.checkout,
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
        """The content of the response; raises ServerError if its status is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(message.method, message.path, message.body or None, message.headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ServerError(f"{self.server.name}: {response.status} {content[:500]!r}\n{self._end_of_log()}")
        return content

    def answer(self, form: Form, body: bytes) -> bytes:
        """The PNG, npy file or JSON that the server gives for a body of ``requests.bodies``."""
        protocol = self.server.protocol
        return protocol.unwrap(form, self.ask(protocol.wrap(form, body)))

    def pause(self) -> None:
        """Stop all its processes (SIGSTOP), so that it takes no processor time from others."""
        for pid in self.tree():
            _signal(pid, signal.SIGSTOP)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run during the block. Workers are resumed first: a parent that watches them would think they hang."""
        parent, *workers = self.tree()
        for pid in workers:
            _signal(pid, signal.SIGCONT)
        time.sleep(RESUME_SECONDS)
        _signal(parent, signal.SIGCONT)
        yield
        self.pause()

    def resident(self) -> int:
        """Resident bytes of its processes together. Memory that they share counts for each."""
        return PAGE_BYTES * sum(int(statm.split()[1]) for statm in self._files("statm"))

    def processor_seconds(self) -> float:
        """Processor time of its processes up to now."""
        times = (stat.rsplit(")", 1)[1].split()[11:13] for stat in self._files("stat"))
        return sum(int(user) + int(system) for user, system in times) / TICKS_PER_SECOND

    def tree(self) -> list[int]:
        """The ids of its process and all descendants, parents first."""
        pids = [self._process.pid]
        for pid in pids:
            for children in _texts(Path(f"/proc/{pid}/task").glob("*/children")):
                pids += map(int, children.split())
        return pids

    def _files(self, name: str) -> Iterator[str]:
        """The text of one file of /proc for each of its processes."""
        return _texts(Path(f"/proc/{pid}/{name}") for pid in self.tree())

    def _wait(self) -> None:
        while True:
            if self._process.poll() is not None:
                raise ServerError(f"{self.server.name} ended with {self._process.returncode}\n{self._end_of_log()}")
            try:
                self.ask(self._first)
                return
            except (OSError, http.client.HTTPException, ServerError) as error:
                if time.perf_counter() - self._started > READY_SECONDS:
                    raise ServerError(f"{self.server.name} isn't ready: {error}\n{self._end_of_log()}") from error
            time.sleep(POLL_SECONDS)

    def _stop(self) -> None:
        tree = self.tree()
        for pid in tree:
            _signal(pid, signal.SIGCONT)
        _signal(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        for pid in tree:  # some servers leave descendants behind
            _signal(pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _end_of_log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-3000:]


def busy_seconds() -> float:
    """Processor time of all processes of this machine up to now, with what a virtual machine's host took."""
    user, nice, system, _idle, _wait, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS_PER_SECOND


def _signal(pid: int, sent: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sent)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _texts(files: Iterable[Path]) -> Iterator[str]:
    """The texts of the files that are still there: a process may just have ended."""
    for file in files:
        with suppress(ProcessLookupError, FileNotFoundError):
            yield file.read_text()
