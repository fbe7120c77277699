"""Where the time of a request goes, for its Server-Timing header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

timings: ContextVar[dict[str, float]] = ContextVar("timings")
"""Seconds by phase of the request in hand."""


@contextmanager
def timed(phase: str) -> Iterator[None]:
    """Add the time spent inside to a phase of the request in hand."""
    start = perf_counter()
    try:
        yield
    finally:
        phases = timings.get({})
        phases[phase] = phases.get(phase, 0.0) + perf_counter() - start
