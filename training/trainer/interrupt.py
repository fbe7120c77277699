"""Stopping a run by SIGINT or SIGTERM after a whole step."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(Exception):
    """Training was asked to stop; everything up to ``step`` is saved."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped at step {step}")
        self.step = step


class StopRequest:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        self.received = False


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a stop request; a second one is handled as it was before."""
    request = StopRequest()
    before: dict[int, Any] = {}

    def handle(number: int, _frame: object) -> None:
        request.received = True
        signal.signal(number, before[number])

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, handle)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
