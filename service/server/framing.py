"""Where requests begin and end: cuts what a client sends into pieces for the parser, and limits what is no body."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.problems import Problem

MAX_HEAD_BYTES = 2**16
MAX_HEADERS = 256
# Bytes of a chunked body that are neither data nor paid for by data: sizes and extensions of chunks, trailers.
MAX_FRAMING_BYTES = 2**14
# One byte of framing is free for so many bytes of data.
FREE_FRAMING = 8
# Bytes of a chunked body that the parser gets at once.
CHUNKED_PIECE = 2**12
EMPTY_LINE = b"\r\n\r\n"
VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
_METHOD = re.compile(rb"[A-Z]{1,32}( |\Z)")
_UPGRADE = re.compile(rb"\r\nupgrade(?=:)", re.IGNORECASE)


class RequestFramer:
    """Cuts what a client sends into pieces, none of which reaches past the end of a request.

    So nothing behind a request is parsed before that is answered. Heads and chunked bodies end with an empty line, and
    the parser accepts no line end but CRLF. A head is one piece: it is parsed once it is all there.
    """

    def __init__(self) -> None:
        self._data = b""
        self._start = 0
        self._body_left = 0
        self._chunked = False
        self._framing = 0

    @property
    def waiting(self) -> int:
        """How many bytes have come that no piece had yet."""
        return len(self._data) - self._start

    @property
    def body_is_here(self) -> bool:
        """Whether the whole body has come, if there is one; of a chunked one nobody knows."""
        return not self._chunked and self._body_left <= self.waiting

    def add(self, data: bytes) -> None:
        """Take what the client has sent."""
        self._data = self._data[self._start :] + data if self.waiting else data
        self._start = 0

    def drop(self) -> None:
        """Forget what no piece had yet."""
        self._data, self._start = b"", 0

    def next_piece(self) -> bytes:
        """What to parse next; empty if more must come first. Raises Problem 400 or 431."""
        if self._body_left:
            return self._take(min(self._body_left, self.waiting))
        return self._chunked_piece() if self._chunked else self._head()

    def expect_body(self, headers: Sequence[tuple[bytes, bytes]], version: str) -> bool:
        """Take from a parsed head how its body ends, and say whether there is one. Raises Problem 400."""
        hosts = 0
        for name, value in headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                self._body_left = int(value.strip().lstrip(b"0") or b"0")  # the parser accepts nothing but a number
            elif name == b"transfer-encoding":
                if value.strip().lower() != b"chunked" or version == "1.0":
                    raise Problem(400, "Transfer-Encoding: accepts chunked alone, in HTTP/1.1")
                self._chunked = True
        if hosts > 1 or (hosts == 0 and version != "1.0"):
            raise Problem(400, f"Host: a request has one, not {hosts}")
        return self._chunked or self._body_left > 0

    def count_body(self, number: int) -> None:
        """So many bytes of the last piece were data of the body."""
        if self._chunked:
            self._framing -= number + number // FREE_FRAMING
        else:
            self._body_left -= number

    def end_request(self) -> None:
        """A request is complete: the next one begins with a head."""
        self._chunked, self._framing = False, 0

    def _head(self) -> bytes:
        while self._data.startswith((b"\r", b"\n"), self._start):  # lines may be empty before a head
            self._start += 1
        end = self._data.find(EMPTY_LINE, self._start) + len(EMPTY_LINE)
        found = end >= len(EMPTY_LINE)
        size = end - self._start if found else self.waiting
        if size > MAX_HEAD_BYTES:
            raise Problem(431, f"a request's head may have {MAX_HEAD_BYTES} bytes", limit=MAX_HEAD_BYTES)
        if found:
            return checked_head(self._take(size))
        if size and not _METHOD.match(self._data[self._start : self._start + 33]):
            raise Problem(400, "not a valid HTTP request")
        return b""

    def _chunked_piece(self) -> bytes:
        self._framing = max(self._framing, 0)
        if self._framing > MAX_FRAMING_BYTES:
            what = "the sizes and extensions of chunks and the trailers of a request"
            raise Problem(431, f"{what} may have {MAX_FRAMING_BYTES} bytes", limit=MAX_FRAMING_BYTES)
        end = self._data.find(EMPTY_LINE, self._start, self._start + CHUNKED_PIECE)
        # The last bytes may be the beginning of an empty line.
        size = end + len(EMPTY_LINE) - self._start if end >= 0 else min(self.waiting, CHUNKED_PIECE) - 3
        self._framing += max(size, 0)
        return self._take(size)

    def _take(self, size: int) -> bytes:
        if size <= 0:
            return b""
        start, self._start = self._start, self._start + size
        piece = self._data[start : self._start]
        if not self.waiting:
            self.drop()
        return piece


def checked_head(head: bytes) -> bytes:
    """A head as the parser may see it, which would take an upgrade as done. Raises Problem 400 or 431."""
    if head.count(b"\r\n") - 2 > MAX_HEADERS:
        raise Problem(431, f"a request may have {MAX_HEADERS} headers", limit=MAX_HEADERS)
    if not head.endswith(VERSIONS, 0, head.index(b"\r\n")):
        raise Problem(400, "not a request of HTTP/1.1 or HTTP/1.0")
    return _UPGRADE.sub(b"\r\nignored-upgrade", head) if b"\r\nupgrade:" in head.lower() else head
