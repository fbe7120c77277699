"""What a request holds once its client may use the service: a place among those in hand, and bytes."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.middleware.admission import AdmissionControl
from service.middleware.bytes_in_hand import BytesInHand
from service.problems import Problem, problem_response
from service.web.scope import is_open

# Smaller bodies and answers don't count: these are passed on to the system at once, or nearly so.
LARGE_BYTES = 2**16


class InHandMiddleware:
    """ASGI middleware inside of authentication: answers 503 where places or bytes in hand have run out.

    A request has a place from when all of it is there until its answer begins: clients may take a minute to send a
    body, and half a minute to take an answer. The bytes of its body count as they come, those of its answer from when
    it is made until the client has taken it. What is open to anybody holds nothing: all clients share the same bytes
    of the documentation.
    """

    def __init__(self, app: ASGIApp, admission: AdmissionControl, in_hand: BytesInHand) -> None:
        self.app = app
        self._admission = admission
        self._in_hand = in_hand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = _Request(scope, receive, send, self._admission, self._in_hand)
        if scope["method"] != "POST":  # it has no body that a route would wait for
            try:
                request.take_place()
            except Problem as problem:
                await problem_response(problem, scope["path"])(scope, receive, send)
                return
        try:
            await self.app(scope, request.receive, request.send)
        finally:
            request.release()


class _Request:
    """What one request holds."""

    __slots__ = (
        "_address",
        "_admission",
        "_bytes",
        "_has_place",
        "_in_hand",
        "_receive",
        "_refused",
        "_scope",
        "_send",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, admission: AdmissionControl, in_hand: BytesInHand
    ) -> None:
        client = scope.get("client")
        self._address: str = client[0] if client else ""
        self._scope, self._receive, self._send = scope, receive, send
        self._admission, self._in_hand = admission, in_hand
        self._has_place = self._refused = False
        self._bytes = 0

    async def receive(self) -> Message:
        """The next message, whose bytes count from now on; raises Problem 503."""
        message = await self._receive()
        if message["type"] == "http.request":
            size, more = len(message.get("body", b"")), message.get("more_body", False)
            # A small body that comes at once has a place, and there are not so many of these.
            if more or self._bytes or size > LARGE_BYTES:
                self._take(size)
            if not more:
                self.take_place()
        return message

    async def send(self, message: Message) -> None:
        """Send a message. Return from the last one of a large answer once the client has taken it."""
        if message["type"] == "http.response.start":
            self.release()  # the body was used, or never will be
            if (size := _length(message)) > LARGE_BYTES:
                try:
                    self._take(size)
                except Problem as problem:
                    self._refused = True
                    await problem_response(problem, self._scope["path"])(self._scope, self._receive, self._send)
                    return
            await self._send(message)
        elif self._refused:
            return
        elif self._bytes and not message.get("more_body"):
            # Servers wait before a message until the client has taken what was written before.
            await self._send({**message, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(message)

    def take_place(self) -> None:
        """Be one of the requests in hand; raises Problem 503."""
        if not self._has_place:
            self._admission.take_place()
            self._has_place = True

    def release(self) -> None:
        """Hold nothing any more."""
        if self._has_place:
            self._has_place = False
            self._admission.in_flight -= 1
        if self._bytes:
            self._in_hand.release(self._address, self._bytes)
            self._bytes = 0

    def _take(self, size: int) -> None:
        self._in_hand.take(self._address, size)
        self._bytes += size


def _length(message: Message) -> int:
    """The Content-Length of a response; 0 where it has none, as it comes in small pieces."""
    for name, value in message.get("headers", ()):
        if name == b"content-length":
            return int(value)
    return 0
