"""What a scenario shows: figures, each beside its limit."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured value, the limit it must keep (empty for what is only told), and whether it does."""

    what: str
    value: str
    limit: str = ""
    holds: bool = True


def at_most(what: str, value: float, limit: float, unit: str = "") -> Figure:
    """A value that must not be above a limit."""
    return Figure(what, _said(value, unit), f"<= {_said(limit, unit)}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str = "") -> Figure:
    """A value that must not be below a limit."""
    return Figure(what, _said(value, unit), f">= {_said(limit, unit)}", value >= limit)


def exactly(what: str, value: int, expected: int) -> Figure:
    """A count that must be right."""
    return Figure(what, f"{value:,}", f"{expected:,}", value == expected)


def told(what: str, value: str) -> Figure:
    """What is good to know."""
    return Figure(what, value)


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median and range of several turns."""
    low, high = (_said(each, unit) for each in (min(values), max(values)))
    return f"{_said(statistics.median(values), unit)} ({low} to {high})"


def table(figures: Iterable[Figure]) -> str:
    """Figures as a table in Markdown."""
    rows = [f"| {f.what} | {f.value} | {f.limit} | {'' if f.holds else '**no**'} |" for f in figures]
    return "\n".join(["| | measured | limit | |", "|---|---|---|---|", *rows, ""])


def _said(value: float, unit: str) -> str:
    digits = 0 if float(value).is_integer() or abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}{unit and ' '}{unit}"
