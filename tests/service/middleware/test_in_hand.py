from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from service.app import create_app
from service.inference.repository import ModelRepository
from service.middleware.admission import AdmissionControl
from service.middleware.bytes_in_hand import BytesInHand
from service.middleware.in_hand import LARGE_BYTES, InHandMiddleware
from service.settings import Settings
from tests.service.processes import Running, running, wait_until
from tests.service.toys import wait_until_ready

KEY = "in-hand-in-hand-in-hand"
State = tuple[int, int]
"""Places and bytes in hand."""


class Service:
    """An application within the middleware; ``states`` has what was in hand at each message."""

    def __init__(self, settings: Settings, limit: int = 2**20, places: int = 1) -> None:
        self.admission = AdmissionControl(ModelRepository(settings), places)
        self.in_hand = BytesInHand(limit)
        self.states: list[tuple[str, State]] = []
        self.sent: list[Message] = []

    def note(self, event: str) -> None:
        self.states.append((event, (self.admission.in_flight, self.in_hand.total)))

    def ask(
        self, response: Response, parts: Sequence[bytes] = (b"",), path: str = "/decode", method: str = "POST"
    ) -> int:
        """The status of the answer, or 0 if the application raised a problem."""
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = False

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Message) -> None:
            self.note(message["type"].removeprefix("http.response."))
            self.sent.append(message)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            self.note("begin")
            if method == "POST":
                for _ in parts:
                    await receive()
                    self.note("received")
            await response(scope, receive, send)

        scope = {"type": "http", "method": method, "path": path, "headers": [], "client": ("192.0.2.1", 1)}
        asyncio.run(InHandMiddleware(app, self.admission, self.in_hand)(scope, receive, send))
        return int(self.sent[0]["status"])


def test_a_request_has_a_place_from_when_its_body_is_there_until_its_answer_begins(settings: Settings):
    service = Service(settings)
    assert service.ask(Response(b"done"), [b"12", b"345"]) == 200
    assert service.states == [
        ("begin", (0, 0)),
        ("received", (0, 2)),
        ("received", (1, 5)),
        ("start", (0, 0)),
        ("body", (0, 0)),
    ]
    service.states.clear()
    service.ask(Response(b"done"), method="GET")
    assert service.states == [("begin", (1, 0)), ("start", (0, 0)), ("body", (0, 0))]


def test_a_large_answer_counts_until_it_is_taken(settings: Settings):
    """Servers wait before a message until what was written before is taken."""
    service, size = Service(settings), LARGE_BYTES + 1
    assert service.ask(Response(b"x" * size), [b"12"]) == 200
    assert service.states[2:] == [("start", (0, size)), ("body", (0, size)), ("body", (0, size))]
    assert [len(message.get("body", b"")) for message in service.sent] == [0, size, 0]
    assert [message.get("more_body", False) for message in service.sent] == [False, True, False]
    assert service.in_hand.total == 0


def test_an_answer_that_has_no_room_is_a_503(settings: Settings):
    service = Service(settings, 4 * LARGE_BYTES)
    service.in_hand.take("192.0.2.1", LARGE_BYTES)
    assert service.ask(Response(b"x" * (LARGE_BYTES + 1))) == 503
    assert b"Retry-After".lower() in dict(service.sent[0]["headers"])
    assert len(service.sent) == 2
    assert service.in_hand.total == LARGE_BYTES


def test_nothing_is_held_when_a_request_ends_otherwise(settings: Settings):
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    service: Any = Service(settings)
    with pytest.raises(ZeroDivisionError):
        service.ask(fail, [b"body"])
    assert (service.admission.in_flight, service.in_hand.total) == (0, 0)


def test_bodies_beyond_the_limit_are_refused_while_they_come(settings: Settings):
    small = settings.model_copy(update={"max_bytes_in_hand": 2**14, "max_body_bytes": 2**20})
    with TestClient(create_app(small)) as client:
        wait_until_ready(client)
        for _ in range(3):
            for size, status in ((LARGE_BYTES, 400), (LARGE_BYTES + 1, 413)):
                answer = client.post("/encode", content=bytes(size), headers={"Content-Type": "image/png"})
                assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/docs", 200),
        ("/docs/swagger-ui.css", 200),
        ("/openapi.json", 200),
        ("/health/live", 200),
        ("/decode", 401),
        ("/nothing", 401),
    ],
)
def test_what_needs_no_key_or_has_none_takes_no_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str, status: int
):
    def fail(*args: object) -> None:
        raise AssertionError("a place is taken")

    monkeypatch.setenv("SPRITEVAE_API_KEYS", KEY)
    app = create_app(Settings(_env_file=None, model=settings.model, device="cpu"))
    monkeypatch.setattr(AdmissionControl, "take_place", fail)
    with TestClient(app) as client:
        assert client.get(path).status_code == status


@contextmanager
def connections(service: Running, number: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Clients that have sent something, and read nothing."""
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(service.address)
            connection.sendall(sent)
            opened.append(connection)
        yield opened


def asked(service: Running) -> int:
    return httpx2.get(f"{service.url}/decode", timeout=60).status_code


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_clients_that_send_no_body_or_take_no_documentation_keep_nobody_out(bundles: Any, sent: bytes):
    with (
        running(bundles / "grey", "--max-requests", "2", "--cache-bytes", "0") as service,
        connections(service, 20, sent),
    ):
        # The service has taken all of these up once it answers one that came after them.
        assert [asked(service) for _ in range(20)] == [200] * 20


def test_answers_that_nobody_takes_are_bounded_and_given_up_with_their_connections(bundles: Any):
    """Each is larger than what the system keeps for a connection."""
    body = b'{"attributes": [%s]}' % b", ".join([b"{}"] * 200)
    head = b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = head + b"Accept: application/x-npy\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    flags = ("--max-body-bytes", "8192", "--max-bytes-in-hand", str(2**22), "--cache-bytes", "0")
    with running(bundles / "colour", *flags) as service:
        with connections(service, 30, request):
            wait_until(lambda: asked_for_many(service, body) == 503)
            assert asked(service) == 200, "small answers don't count"
        wait_until(lambda: asked_for_many(service, body) == 200)


def asked_for_many(service: Running, body: bytes) -> int:
    headers = {"Content-Type": "application/json", "Accept": "application/x-npy"}
    return httpx2.post(f"{service.url}/decode", content=body, headers=headers, timeout=60).status_code
