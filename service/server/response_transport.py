"""How a response is written: its head with the beginning of its body, and ``Connection: close`` if it comes early."""

from __future__ import annotations

from service.server.closing import ClosingTransport

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Larger data are not copied: many clients may wait for the same.
MAX_JOINED_BYTES = 2**16
CLOSE = b"connection: close\r\n"


class ResponseTransport:
    """The transport of one response. One that ``has_body`` is sent together with its head: one system call less.

    uvicorn writes the head first, and then always writes more or closes. A response to a request whose body is not all
    there says that the connection is closed.
    """

    __slots__ = ("_has_body", "_head", "_transport", "body_is_due")

    def __init__(self, transport: ClosingTransport, *, has_body: bool, body_is_due: bool) -> None:
        self._transport = transport
        self._has_body = has_body
        self._head: bytes | None = None
        self.body_is_due = body_is_due
        """Whether the client has not sent all of the request's body yet."""

    def write(self, data: bytes) -> None:
        """Keep the head, and send it with the data that follow."""
        if self._head is None and data != CONTINUE:
            if self.body_is_due and CLOSE not in data:
                data = data[:-2] + CLOSE + data[-2:]
            self._head = data if self._has_body else b""
            if not self._has_body:
                self._transport.write(data)
        elif self._head and len(data) <= MAX_JOINED_BYTES:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            if self._head:
                self._transport.write(self._head)
                self._head = b""
            self._transport.write(data)

    def close(self) -> None:
        """Send the head if it is still kept, and close."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()
