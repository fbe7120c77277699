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
from pydantic_settings import CliApp, SettingsError

from service.observability import logs
from service.security import api_keys
from service.server import stop_signals
from service.server.connection_counts import Shares
from service.server.workers import supervise
from service.settings import Settings

log = logging.getLogger("spritevae.main")
SWITCH_SECONDS = 0.001
"""How long a thread that has run a batch waits for an event loop that is busy with refusals. With Python's own 5 ms,
less is answered in overload; with less than 1 ms, always."""


def serve(argv: Sequence[str]) -> int:
    """Run the service until SIGTERM or SIGINT; gives the exit code: 0, 1 if it can't run, 2 for wrong settings."""
    stop_signals.hold()
    if any(flag.partition("=")[0] == "--api-keys" for flag in argv):
        _complain(
            "--api-keys: every user of this machine can see flags; SPRITEVAE_API_KEYS or --api-keys-file has them"
        )
        return 2
    try:
        settings = CliApp.run(Settings, cli_args=list(argv))
    except SystemExit as finished:  # --help, or a flag that there is not
        return int(finished.code or 0)
    except ValidationError as error:
        for found in error.errors():
            message = found["msg"].removeprefix("Value error, ")
            if not found["loc"]:  # of several settings together
                _complain(message)
                continue
            flag = str(found["loc"][0]).replace("_", "-")
            _complain(f"--{flag}: {message}, got {found['input']!r}")
        return 2
    except SettingsError as error:
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
        return work(settings, listening)
    shares = Shares(settings.workers)

    def died(place: int, pid: int) -> None:
        shares.forget(place)
        _forget_metrics(pid)

    with _shared_metrics():
        # Its own copy of the socket would take connections that nobody accepts any more.
        return supervise(partial(work, settings, listening, shares), settings.workers, died, ends=listening.close)


def work(
    settings: Settings, listening: socket.socket, shares: Shares | None = None, place: int = 0, first: bool = True
) -> int:
    """Serve on a socket until told to end, in this process; gives the exit code.

    One of several workers has a ``place`` among them. They fail alike, and only the ``first`` of all says why.
    """
    # Not above: a process that only looks after its workers needs none of it.
    from export.bundle import BundleError
    from service.app import create_app
    from service.inference.providers import ModelError
    from service.server.server import Server

    if shares:  # a process of its own
        logs.configure(settings.log_level, settings.log_format)
    speaks = place == 0 or not first
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        app = create_app(settings, on_failure=stop)
        server = Server(app, settings, shares, place)
        if speaks:
            host, port = listening.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            log.info("listening on %s, API keys: %s, documentation at /docs", url, len(settings.keys) or "none")
        server.run(sockets=[listening])
    except (BundleError, ModelError) as error:
        failures.append(error)
    for failure in failures if speaks else ():
        _complain(str(failure))
    return 1 if failures or server.force_exit else 0


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder where worker processes keep what they count, so that each can tell of all: in memory, if it can be."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="spritevae-metrics-", dir=memory) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _forget_metrics(pid: int) -> None:
    """Drop what a worker that died said of its present state; what it counted is kept."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _complain(what: str) -> None:
    print(f"spritevae serve: error: {what}", file=sys.stderr)
