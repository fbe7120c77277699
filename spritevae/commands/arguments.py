"""What the arguments of several commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class UsageError(Exception):
    """Arguments that don't go together; the usage is shown with the message, and the exit status is 2."""


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add ``--threads``."""
    parser.add_argument("--threads", type=whole_number(1), help="CPU threads (default: one per core)")


def whole_number(least: int) -> Callable[[str], int]:
    """An argument type: a whole number from ``least`` on that fits 32 bits."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not least <= number < 2**31:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {2**31 - 1}")
        return number

    return whole_number


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """The values of arguments NAME=VALUE by name, the last one of each; raises ValueError for other texts."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"settings are given as NAME=VALUE, got {text!r}")
        values[name] = value
    return values
