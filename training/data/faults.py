"""What is wrong in people's data: the end of reading it, or a list of what is left out."""

from __future__ import annotations

import sys

from training.data.dataset import DataError

# How many faults are listed.
SHOWN = 20


class Faults:
    """Collects what is wrong with single rows and pictures. Without ``skip``, the first one is an error."""

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.messages: list[str] = []

    def report(self, message: str) -> None:
        """Note a fault, whose row is left out; raises DataError unless faults are skipped."""
        if not self.skip:
            raise DataError(message)
        self.messages.append(message)

    def show(self) -> None:
        """Print what was left out."""
        if self.messages:
            print(f"{len(self.messages):,} left out, as --skip-bad says:", file=sys.stderr)
            for message in self.messages[:SHOWN]:
                print(f"  {message}", file=sys.stderr)
            if len(self.messages) > SHOWN:
                print(f"  and {len(self.messages) - SHOWN:,} more", file=sys.stderr)
