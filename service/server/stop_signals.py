"""Signals to end, from a process's first moment on: what comes before there is a server is held for it."""

from __future__ import annotations

import signal
from types import FrameType

STOP = (signal.SIGTERM, signal.SIGINT)
_held: list[int] = []


def hold() -> None:
    """Hold SIGTERM and SIGINT from now on. The kernel spares the first process of a container, if it has no handler."""
    for number in STOP:
        signal.signal(number, _hold)


def held() -> list[int]:
    """Those that came."""
    return _held


def _hold(number: int, frame: FrameType | None) -> None:
    _held.append(number)
