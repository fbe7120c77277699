"""Conversations in raw HTTP/1.1, made at random by a grammar, and which answers each request in them may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.soak.client import KEY

MAX_BODY = 2**20
"""The limit of bodies that the service must be given."""
ANY_4XX = frozenset(range(400, 500))
FULL = frozenset({429, 503})
ENDLESS = 2**18
"""Bytes of what must be refused long before: four times the limit of heads and framing."""
ENDS = ("wait",) * 6 + ("half close", "half close", "leave", "reset")
READS = ("at once",) * 6 + ("slowly", "never")


@dataclass
class Message:
    """What is sent as one request, and the statuses that its answer may have."""

    sent: bytes
    statuses: frozenset[int]
    name: bytes = b""
    """Its X-Request-ID."""
    method: str = "GET"
    good: bool = True
    """Whether it is a complete request of HTTP/1.1, behind which others may come."""
    answered: bool = True
    """Whether an answer must come though nothing more is sent."""


@dataclass
class Conversation:
    """What one client says on a connection, and how."""

    messages: list[Message]
    cuts: list[int]
    """Sizes of the pieces that it is sent in, used again and again."""
    pause: float
    """Seconds between two pieces, for the first ones."""
    reads: str
    end: str
    kinds: list[str] = field(default_factory=list)

    @property
    def sent(self) -> bytes:
        return b"".join(message.sent for message in self.messages)


def conversation(seed: int, number: int) -> Conversation:
    """The conversation of that number: always the same for a seed."""
    return _Grammar(Random(f"{seed} {number}"), number).conversation()


class _Grammar:
    def __init__(self, draw: Random, number: int) -> None:
        self.draw = draw
        self.number = number
        self.messages: list[Message] = []

    def conversation(self) -> Conversation:
        draw = self.draw
        kinds = []
        for _ in range(draw.choice((0, 1, 1, 1, 2, 3, 8, 30))):
            self.messages.append(self.good())
        if not self.messages or draw.random() < 0.6:
            name, make = draw.choice(FAULTS)
            kinds.append(name)
            self.messages += make(self)
        large = sum(len(message.sent) for message in self.messages) > 20_000
        cuts = draw.choice(([2**24], [2**16], [draw.randint(1000, 30_000)], [1400]))
        if not large and draw.random() < 0.5:
            cuts = draw.choice(([1], [draw.randint(1, 9)], [draw.randint(1, 300) for _ in range(5)]))
        pause = draw.choice((0.0, 0.0, 0.001, 0.01))
        if "flood" in kinds:  # a read that ends within a head would be refused by many servers
            cuts, pause = [1000 * len(self.messages[-1].sent)], 0.01
            self.messages = [message for message in self.messages if message.sent == self.messages[-1].sent]
        return Conversation(self.messages, cuts, pause, draw.choice(READS), draw.choice(ENDS), kinds)

    # Good requests

    def good(self) -> Message:
        """A request that is right, perhaps without a key."""
        draw = self.draw
        keyed = draw.random() < 0.8
        make = draw.choice((self.get, self.get, self.get, self.post, self.post, self.encode))
        return make(keyed)

    def get(self, keyed: bool) -> Message:
        path, status, open_to_all = self.draw.choice(
            (
                (b"/health/live", 200, True),
                (b"/v2/health/ready", 200, True),
                (b"/openapi.json", 200, True),
                (b"/docs/swagger-ui-bundle.js", 200, True),
                (b"/decode?scale=%d" % self.draw.randrange(6), 200, False),
                (b"/decode?shape=none", 422, False),
                (b"/models", 200, False),
                (b"/nothing", 404, False),
            )
        )
        method = self.draw.choice(("GET", "GET", "HEAD"))
        return self.message(method, path, {status if keyed or open_to_all else 401}, keyed)

    def post(self, keyed: bool) -> Message:
        body, status = self.draw.choice(
            (
                (json.dumps({"attributes": {"scale": self.draw.randrange(6)}}).encode(), 200),
                (b'{"attributes": {"none": 1}}', 422),
                (b'{"attributes', 400),
                (b'{"attributes": {}}' + b" " * self.draw.randint(0, 100_000), 200),
            )
        )
        return self.message("POST", b"/decode", {status if keyed else 401}, keyed, body)

    def encode(self, keyed: bool) -> Message:
        body = b"GIF89a" + self.draw.randbytes(self.draw.choice((0, 10, 1000, 200_000)))
        return self.message("POST", b"/encode", {400, 413} if keyed else {401}, keyed, body, b"image/gif")

    def message(
        self, method: str, path: bytes, statuses: set[int], keyed: bool, body: bytes | None = None, media: bytes = b""
    ) -> Message:
        name = b"c%d-%d" % (self.number, len(self.messages))
        lines = [b"%s %s HTTP/1.1" % (method.encode(), path), b"Host: localhost", b"X-Request-ID: " + name]
        if keyed:
            lines.append(b"X-API-Key: " + KEY.encode())
        if self.draw.random() < 0.2:
            lines += [
                b"X-%d: %s" % (each, b"a" * self.draw.choice((0, 9, 99))) for each in range(self.draw.randint(1, 99))
            ]
        if self.draw.random() < 0.05:
            lines += [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + self.draw.choice((b"h2c", b"websocket"))]
        framed = b""
        if body is not None:
            lines.append(b"Content-Type: " + (media or b"application/json"))
            coding, framed = self.framed(body)
            lines.append(coding)
        if self.draw.random() < 0.3:
            head, rest = lines[0], lines[1:]
            self.draw.shuffle(rest)
            lines = [head, *rest]
        sent = b"\r\n".join((*lines, b"", b"")) + framed
        return Message(sent, frozenset(statuses) | FULL, name, method)

    def framed(self, body: bytes) -> tuple[bytes, bytes]:
        """The header that says how a body ends, and the body as it is sent."""
        if self.draw.random() < 0.5:
            zeros = self.draw.choice((0, 0, 0, 1, 20, 5000))
            return b"Content-Length: %s%d" % (b"0" * zeros, len(body)), body
        sent = [self.chunk(part) for part in self.parts(body)]
        # A trailer must not become a header: the request is then answered as if it had a key, or none.
        trailers = self.draw.choice(
            (b"", b"", b"A: b\r\n" * 9, b"X-API-Key: %s\r\n" % KEY.encode(), b"X-API-Key: none\r\n")
        )
        return b"Transfer-Encoding: chunked", b"".join((*sent, b"0\r\n", trailers, b"\r\n"))

    def parts(self, body: bytes) -> list[bytes]:
        size = self.draw.choice((50, 1000, 10_000, 10**6))
        return [body[start : start + size] for start in range(0, len(body), size)]

    def chunk(self, data: bytes) -> bytes:
        extension = self.draw.choice((b"", b"", b"", b"", b";a", b";a=b", b';a="b c"'))
        return b"%x%s\r\n%s\r\n" % (len(data), extension, data)

    # Faults

    def wrong(self, sent: bytes, statuses: frozenset[int] = ANY_4XX, *, answered: bool = True) -> list[Message]:
        return [Message(sent, statuses | FULL, good=False, answered=answered)]

    def head(self, *lines: bytes, line: bytes = b"POST /decode HTTP/1.1", host: bytes = b"Host: localhost") -> bytes:
        key = b"X-API-Key: %s" % KEY.encode()
        media = b"Content-Type: application/json"
        return b"\r\n".join((line, *([host] if host else []), key, media, *lines, b"", b""))

    def bad_head(self) -> list[Message]:
        return self.wrong(
            self.draw.choice(
                (
                    self.head(b"Host: localhost"),
                    self.head(host=b""),
                    self.head(line=b"GET /decode HTTP/2.0"),
                    self.head(line=b"GET /decode"),
                    self.head(line=b"GET /a b HTTP/1.1"),
                    self.head(line=b"get /decode HTTP/1.1"),
                    self.head(line=b"CONNECT localhost:80 HTTP/1.1"),
                    self.head(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
                    self.head(b"Transfer-Encoding: identity"),
                    self.head(b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n",
                    self.head(b"Content-Length: 5", b"Content-Length: 6") + b"12345",
                    self.head(b"Content-Length: -1"),
                    self.head(b"Content-Length: +1") + b"1",
                    self.head(b"Content-Length: " + b"9" * self.draw.choice((20, 30, 5000))),
                    self.head(b"X: a\0b"),
                    self.head(b"X : a"),
                    self.head(b" folded"),
                    self.head(b"X: a\rb"),
                    self.head(b"X: a\nY: b"),
                    self.head(*[b"X: a"] * 300),
                    self.head(*[b"X: a"] * 10_000),
                    self.head(b"X: " + b"a" * 70_000),
                    self.head(host=b"Host: [::1].example.com"),
                    self.head(host=b"Host: localhost:x"),
                )
            )
        )

    def bad_chunks(self) -> list[Message]:
        chunks = (
            b"x\r\n\r\n",
            b"-1\r\n",
            b"0x1\r\na\r\n",
            b"1\r\nab\r\n",
            b"1\na\n",
            b"f" * 17 + b"\r\n",
            b"1 \r\na\r\n\r\n",
        )
        good = b"".join(self.chunk(b"{}") for _ in range(self.draw.randrange(5)))
        return self.wrong(self.head(b"Transfer-Encoding: chunked") + good + self.draw.choice(chunks) + b"\r\n\r\n")

    def garbage(self) -> list[Message]:
        return self.wrong(b"\x16" + self.draw.randbytes(self.draw.choice((1, 10, 1000, 100_000))))

    def endless_framing(self) -> list[Message]:
        begin = self.draw.choice(
            (b"0\r\nX: ", b"0\r\nX: a\r\nY: ", b"1;a=", b"2\r\n{}\r\n0\r\nX: ", b"2\r\n{}\r\n1;a=")
        )
        size = ENDLESS * self.draw.choice((1, 1, 4, 16))
        return self.wrong(self.head(b"Transfer-Encoding: chunked") + begin + b"a" * size)

    def many_trailers(self) -> list[Message]:
        trailers = b"A: b\r\n" * (ENDLESS // 6)
        return self.wrong(self.head(b"Transfer-Encoding: chunked") + b"0\r\n" + trailers)

    def tiny_chunks(self) -> list[Message]:
        return self.wrong(self.head(b"Transfer-Encoding: chunked") + b"1\r\n \r\n" * (ENDLESS // 6))

    def empty_lines_in_chunks(self) -> list[Message]:
        data = b"{" + b"\r\n" * self.draw.choice((100, 10_000, 100_000))
        return self.wrong(self.head(b"Transfer-Encoding: chunked") + self.chunk(data) + b"0\r\n\r\n")

    def endless_head(self) -> list[Message]:
        begin = self.draw.choice((b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"))
        return self.wrong(begin + self.draw.choice((b"a", b"a: b\r\n")) * ENDLESS)

    def large_body(self) -> list[Message]:
        """Of a length that says so, in chunks, or behind zeros."""
        size = MAX_BODY + self.draw.choice((1, 1000, MAX_BODY))
        if self.draw.random() < 0.3:
            sent = self.head(b"Transfer-Encoding: chunked") + self.chunk(b" " * size) + b"0\r\n\r\n"
        else:
            length = b"0" * self.draw.choice((0, 1, 20, 50)) + b"%d" % size
            sent = self.head(b"Content-Length: " + length) + b" " * size
        return self.wrong(sent, frozenset({413}))

    def half(self) -> list[Message]:
        """A good request of which the end is missing."""
        sent = self.post(True).sent
        return self.wrong(sent[: self.draw.randrange(1, len(sent))], answered=False)

    def flood(self) -> list[Message]:
        """So many small requests that all of them can't be taken at once; the host is none that is allowed."""
        sent = self.draw.choice((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"))
        number = self.draw.choice((500, 2000, 8000))
        return [Message(sent, frozenset({400}) | FULL)] * number

    def empty_lines(self) -> list[Message]:
        return self.wrong(b"\r\n" * self.draw.choice((1, 1000, ENDLESS)), answered=False)


FAULTS: tuple[tuple[str, Callable[[_Grammar], list[Message]]], ...] = (
    ("bad head", _Grammar.bad_head),
    ("bad head", _Grammar.bad_head),
    ("bad head", _Grammar.bad_head),
    ("bad chunks", _Grammar.bad_chunks),
    ("garbage", _Grammar.garbage),
    ("endless framing", _Grammar.endless_framing),
    ("many trailers", _Grammar.many_trailers),
    ("tiny chunks", _Grammar.tiny_chunks),
    ("empty lines in chunks", _Grammar.empty_lines_in_chunks),
    ("endless head", _Grammar.endless_head),
    ("large body", _Grammar.large_body),
    ("half a request", _Grammar.half),
    ("flood", _Grammar.flood),
    ("empty lines", _Grammar.empty_lines),
)
