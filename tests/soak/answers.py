"""Answers of HTTP/1.1 as they come on one connection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_NAME = re.compile(rb"\r\nx-request-id: ([^\r]*)\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: close\r\n", re.IGNORECASE)
NO_BODY = (204, 304)


class Given(NamedTuple):
    """An answer: its status, the X-Request-ID that it bears, and whether it says that the connection is closed."""

    status: int
    name: bytes
    closes: bool


class Answers:
    """Reads answers out of what comes. ``methods`` are those of the requests: an answer to HEAD has no body."""

    def __init__(self, methods: Sequence[str]) -> None:
        self.given: list[Given] = []
        self._methods = methods
        self._data = bytearray()
        self._left = 0

    @property
    def complete(self) -> bool:
        """Whether what has come ends with an answer."""
        return not self._data and not self._left

    def add(self, data: bytes) -> None:
        """Take what has come; raises ValueError where it is no answer."""
        self._data += data
        while self._data:
            if self._left:
                taken = min(self._left, len(self._data))
                del self._data[:taken]
                self._left -= taken
            elif not self._read_head():
                return

    def _read_head(self) -> bool:
        if not self._data.startswith(b"HTTP/1.1 "[: len(self._data)]):
            raise ValueError(f"no answer begins with {bytes(self._data[:40])!r}")
        end = self._data.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        head = bytes(self._data[:end])
        del self._data[:end]
        status = int(head[9:12])
        if status < 200:  # an interim answer
            return True
        name, length = _NAME.search(head), _LENGTH.search(head)
        asked = self._methods[len(self.given)] if len(self.given) < len(self._methods) else ""
        self.given.append(Given(status, name[1] if name else b"", bool(_CLOSE.search(head))))
        # A request that is refused before it is parsed is answered with a body, whatever its method was.
        if (asked != "HEAD" or not name) and status not in NO_BODY:
            if not length:
                raise ValueError(f"an answer without a length: {head[:200]!r}")
            self._left = int(length[1])
        return True
