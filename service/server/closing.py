"""How connections end: each close has a deadline, and clients that still send can read why nobody listens."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from time import monotonic
from typing import Any

WRITE_SECONDS = 30  # for a client to take what was written
# What a client may still send on a connection that is to be closed.
MAX_DISCARDED_BYTES = 2**25
# Closing a socket with this option resets the connection.
RESET = struct.pack("ii", 1, 0)
# The first byte of TCP_INFO for a connection that was reset (TCP_CLOSE in Linux's tcp_states.h).
TCP_CLOSE = 7


class ClosingTransport:
    """A connection's transport, whose ``close`` has a deadline, whoever calls it.

    The system resets a connection that is closed while data have come which nobody read: the client could lose the
    answer that tells why. So while a client may still send, only the server's side is closed at first, and what comes
    is dropped (lingering close).
    """

    __slots__ = (
        "_closing",
        "_discarded",
        "_transport",
        "client_sends",
        "deadline",
        "get_extra_info",
        "pause_reading",
        "resume_reading",
        "write",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._closing = False
        self._discarded = 0
        self.client_sends = False
        """Whether the client has not sent all of a request yet."""
        self.deadline = math.inf
        """When the connection is reset if it has not ended."""
        self.write = transport.write
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

    def is_closing(self) -> bool:
        """Whether nothing is read and answered any more."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """End the connection once the client has taken what was written."""
        if self._closing:
            return
        self._closing, self.deadline = True, monotonic() + WRITE_SECONDS
        if self.client_sends and not self._transport.is_closing():
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()

    def was_reset(self) -> bool:
        """Whether the client's system has said that nobody reads there any more, which only a write makes it say."""
        connection: Any = self._transport.get_extra_info("socket")
        try:
            state: bytes = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        except (AttributeError, OSError):  # another system than Linux, a Unix socket
            return False
        return state[0] == TCP_CLOSE

    def discard(self, data: bytes) -> None:
        """Drop what comes after ``close``, and reset the connection of a client that does not stop."""
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self.reset()

    def reset(self) -> None:
        """End the connection at once. Otherwise the kernel would go on keeping data for the client."""
        self._closing = True
        connection: Any = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()
