"""Stop signals from a process's first moment on: those that come before there is a server are kept for it."""

from __future__ import annotations

import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_deferred: list[int] = []


def defer_stop_signals() -> None:
    """Keep SIGTERM and SIGINT from now on, instead of ending by them."""
    # The first process of a container (PID 1) ignores SIGTERM as long as it has no handler for it.
    for number in STOP_SIGNALS:
        signal.signal(number, _defer)


def deferred() -> list[int]:
    """The signals that have come."""
    return _deferred


def _defer(number: int, frame: FrameType | None) -> None:
    _deferred.append(number)
