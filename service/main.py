"""``spritevae serve``: from arguments to a listening service."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import CliApp, SettingsError

from service.observability import logs
from service.security import api_keys
from service.server import stop_signals
from service.server.connection_counts import ConnectionCounts
from service.server.workers import supervise
from service.settings import Settings

log = logging.getLogger("spritevae.main")
# How long a thread that has run a batch waits for an event loop that is busy with rejections. With Python's 5 ms, fewer
# requests are answered in overload; with less than 1 ms, fewer are answered at any load.
SWITCH_SECONDS = 0.001


def serve(argv: Sequence[str]) -> int:
    """Run the service until SIGTERM or SIGINT. The exit code is 0, or 1 if it can't run, or 2 for wrong settings."""
    stop_signals.defer_stop_signals()
    try:
        settings = read_settings(argv)
    except SystemExit as finished:  # --help, or an unknown flag
        return int(finished.code or 0)
    except ValueError as error:
        _complain(str(error))
        return 2
    logs.configure(settings.log_level, settings.log_format)
    if settings.api_keys_file and api_keys.exposed(settings.api_keys_file):
        log.warning("every user of this machine can read the API keys in %s", settings.api_keys_file)
    try:
        listening = _listen(settings.host, settings.port)
    except OSError as error:
        _complain(f"can't listen on {settings.host}:{settings.port}: {error.strerror}")
        return 1
    if settings.workers == 1:
        return run_worker(settings, listening)
    counts = ConnectionCounts(settings.workers)

    def on_exit(worker_index: int, pid: int) -> None:
        counts.clear(worker_index)
        _forget_metrics(pid)

    with _shared_metrics():
        # The parent closes its copy of the socket, or it would take connections that nobody accepts any more.
        return supervise(
            partial(run_worker, settings, listening, counts), settings.workers, on_exit, on_last=listening.close
        )


def read_settings(argv: Sequence[str]) -> Settings:
    """The settings of flags and environment; raises ValueError that lists what is wrong, a line each."""
    if any(flag.partition("=")[0] == "--api-keys" for flag in argv):
        raise ValueError(
            "--api-keys: every user of this machine can see flags; SPRITEVAE_API_KEYS or --api-keys-file has them"
        )
    try:
        return CliApp.run(Settings, cli_args=list(argv))
    except ValidationError as error:
        raise ValueError("\n".join(map(_described, error.errors()))) from None
    except SettingsError as error:
        raise ValueError(str(error)) from None


def _described(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # it is about several settings together
        return message
    flag = str(error["loc"][0]).replace("_", "-")
    return f"--{flag}: {message}, got {error['input']!r}"


def run_worker(
    settings: Settings,
    listening: socket.socket,
    counts: ConnectionCounts | None = None,
    worker_index: int = 0,
    first: bool = True,
) -> int:
    """Serve on a socket until told to end, in this process; gives the exit code.

    ``counts`` is for one of several workers. All workers fail alike at their start, so only one of the ``first`` ones
    reports the error.
    """
    # Imported here, as a process that only supervises workers needs none of it.
    from export.bundle import BundleError
    from service.app import create_app
    from service.inference.providers import ModelError
    from service.server.server import Server

    if counts:  # this is a new process, whose logs are not configured yet
        logs.configure(settings.log_level, settings.log_format)
    reports_errors = worker_index == 0 or not first
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        app = create_app(settings, on_failure=stop)
        server = Server(app, settings, counts, worker_index)
        if reports_errors:
            host, port = listening.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            log.info("listening on %s, API keys: %s, documentation at /docs", url, len(settings.keys) or "none")
        server.run(sockets=[listening])
    except (BundleError, ModelError) as error:
        failures.append(error)
    for failure in failures if reports_errors else ():
        _complain(str(failure))
    return 1 if failures or server.force_exit else 0


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder where worker processes keep their metrics, so that each can report all; in memory if possible."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="spritevae-metrics-", dir=memory) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _forget_metrics(pid: int) -> None:
    """Drop the gauges of a worker that has ended; its counters are kept."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _complain(message: str) -> None:
    for line in message.splitlines():
        print(f"spritevae serve: error: {line}", file=sys.stderr)
