"""``spritevae serve``: from arguments to a listening service."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from export.bundle import BundleError
from service.app import create_app
from service.runtime import ModelError
from service.settings import Settings

log = logging.getLogger("spritevae.main")
GRACE_SECONDS = 10
"""How long a request in flight may take once the service is told to end."""


def serve(argv: Sequence[str]) -> int:
    """Run the service until SIGTERM or SIGINT; gives the exit code: 0, 1 if it can't run, 2 for wrong settings."""
    try:
        settings = CliApp.run(Settings, cli_args=list(argv))
    except SystemExit as finished:  # --help, or a flag that there is not
        return int(finished.code or 0)
    except ValidationError as error:
        for found in error.errors():
            flag = ".".join(str(part) for part in found["loc"][:1]).replace("_", "-")
            _complain(f"--{flag}: {found['msg']}, got {found['input']!r}")
        return 2
    except SettingsError as error:
        _complain(str(error))
        return 2
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return _run(settings)


def _run(settings: Settings) -> int:
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    try:
        app = create_app(settings, on_failure=stop)
    except (BundleError, ModelError) as error:
        _complain(str(error))
        return 1
    try:
        listening = _listen(settings.host, settings.port)
    except OSError as error:
        _complain(f"can't listen on {settings.host}:{settings.port}: {error.strerror}")
        return 1
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    # uvicorn ends what is in flight, then raises the signal again: by then it has done its work.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    host, port = listening.getsockname()[:2]
    log.info("listening on http://%s:%d, documentation at /docs", f"[{host}]" if ":" in host else host, port)
    server.run(sockets=[listening])
    for failure in failures:
        _complain(str(failure))
    return 1 if failures else 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _complain(what: str) -> None:
    print(f"spritevae serve: error: {what}", file=sys.stderr)
