"""A transport that keeps what happens on it."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock


class Wire:
    """A transport that keeps what is written, packet by packet, and whether it is read and open."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.closed = self.aborted = self.ended = self.paused = False
        self.socket = Mock()

    def get_extra_info(self, name: str) -> Any:
        return self.socket if name == "socket" else None

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def write(self, data: bytes) -> None:
        self.packets.append(data)

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True
