"""``spritevae serve``: the HTTP service; its options are the service's settings."""

from __future__ import annotations

from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Serve until a signal comes; returns the exit status."""
    from service.server import stop_signals

    # A signal must not be lost while the service is imported, which takes a while.
    stop_signals.defer_stop_signals()
    from service.main import serve

    return serve(arguments)
