"""``spritevae serve``: from arguments to a listening service."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from service import environment
from service.observability import logs, metric_files
from service.security import api_keys
from service.server import stop_signals
from service.server.connection_counts import ConnectionCounts
from service.server.forced_end import end_process_after
from service.server.listening import ListenError, address, listening_sockets
from service.server.workers import supervise
from service.settings import Settings, read_settings

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
    if links := environment.service_links([*Settings.model_fields]):
        log.info("%s: set by Kubernetes for a Service of that name, and ignored", ", ".join(links))
    if names := environment.env_file_settings():
        log.info("%s, which sets %s, is read", environment.ENV_FILE.resolve(), ", ".join(names))
    try:
        with ExitStack() as stack:
            return _run(settings, stack.enter_context(listening_sockets(settings)), stack.close)
    except ListenError as error:
        _complain(str(error))
        return 1


def _run(settings: Settings, listening: Sequence[socket.socket], stop_listening: Callable[[], None]) -> int:
    """Serve in this process, or in workers; gives the exit code."""
    if settings.workers == 1:
        return run_worker(settings, listening, clean_up=stop_listening)
    counts = ConnectionCounts(settings.workers)

    def on_exit(worker_index: int, pid: int) -> None:
        counts.clear(worker_index)
        metric_files.forget(pid)

    def close() -> None:
        # The parent closes its copies of the sockets, or they would take connections that nobody accepts any more.
        for each in listening:
            each.close()

    with metric_files.shared():
        return supervise(partial(run_worker, settings, listening, counts), settings.workers, on_exit, on_last=close)


def run_worker(
    settings: Settings,
    listening: Sequence[socket.socket],
    counts: ConnectionCounts | None = None,
    worker_index: int = 0,
    first: bool = True,
    clean_up: Callable[[], None] = lambda: None,
) -> int:
    """Serve on sockets until told to end, in this process; gives the exit code.

    ``counts`` is for one of several workers. All workers fail alike at their start, so only one of the ``first`` ones
    reports the error. ``clean_up`` is called if the process is ended while threads still run.
    """
    # Imported here, as a process that only supervises workers needs none of it.
    from export.bundle import BundleError
    from service.app import create_app
    from service.inference.providers import ModelError
    from service.server.server import Server

    if counts:  # this is a new process, whose logs are not configured yet
        logs.configure(settings.log_level, settings.log_format)
        metric_files.hold()
    reports_errors = worker_index == 0 or not first
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    def exit_code() -> int:
        return 1 if failures or server.force_exit else 0

    def finish() -> int:
        clean_up()
        return exit_code()

    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        app = create_app(settings, on_failure=stop)
        server = Server(app, settings, counts, worker_index, partial(end_process_after, finish=finish))
        if reports_errors:
            where = ", ".join(map(address, listening))
            log.info("listening on %s, API keys: %s, documentation at /docs", where, len(settings.keys) or "none")
        server.run(sockets=list(listening))
    except (BundleError, ModelError) as error:
        failures.append(error)
    for failure in failures if reports_errors else ():
        _complain(str(failure))
    return exit_code()


def _complain(message: str) -> None:
    for line in message.splitlines():
        print(f"spritevae serve: error: {line}", file=sys.stderr)
