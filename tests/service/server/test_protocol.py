"""Clients that stall, and how answers leave."""

from __future__ import annotations

import asyncio
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from unittest.mock import Mock

import httpx2
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.framing import MAX_HEAD_BYTES, MAX_HEADERS
from service.server.protocol import TimeoutProtocol
from service.server.response_transport import CONTINUE
from tests.service.processes import Running, memory
from tests.service.server.connections import ASK, answer_to, answers, closed_after, sends_until_cut_off
from tests.service.server.wire import Wire

POST = b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /health/li",
        b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Le",
        b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health",
    ],
    ids=["nothing", "half a line", "half a head", "half a body", "half a second request"],
)
def test_a_half_open_client_is_cut_off(impatient: Running, sent: bytes):
    with socket.create_connection(impatient.address) as connection:
        connection.sendall(sent)
        assert closed_after(connection) > 0.5


def test_a_client_that_drips_is_cut_off(impatient: Running):
    def drip() -> Iterator[bytes]:
        for byte in b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1500:  # more than a minute
            yield bytes([byte])
            time.sleep(0.05)

    with socket.create_connection(impatient.address) as connection:
        assert sends_until_cut_off(connection, drip()) > 0.5


def test_a_client_that_does_not_take_its_answer_is_cut_off(impatient: Running):
    with socket.create_connection(impatient.address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        poll = select.poll()
        poll.register(connection, select.POLLHUP | select.POLLERR)
        assert poll.poll(60_000)


def test_a_client_that_takes_its_time_is_served(impatient: Running):
    with socket.create_connection(impatient.address) as connection:
        for part in (b"GET /health/live", b" HTTP/1.1\r\n", b"Host: localhost\r\n\r\n"):
            connection.sendall(part)
            time.sleep(0.2)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert httpx2.get(f"{impatient.url}/decode").status_code == 200


def test_what_is_no_http_is_a_problem_too(impatient: Running):
    head, body = answer_to(impatient, [b"\x16\x03\x01 hello\r\n\r\n"])
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["status"] == 400


@pytest.mark.parametrize(
    ("head", "limit"),
    [
        ((b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 995 + b"\r\n") * 66)[: MAX_HEAD_BYTES + 1], MAX_HEAD_BYTES),
        ((b"GET / HTTP/1.1\r\nX: " + b"a" * 66_000)[: MAX_HEAD_BYTES + 1], MAX_HEAD_BYTES),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * (MAX_HEADERS + 1) + b"\r\n", MAX_HEADERS),
    ],
    ids=["long headers", "one header without end", "many headers"],
)
def test_a_head_past_a_limit_is_a_431_that_tells_the_limit(impatient: Running, head: bytes, limit: int):
    answer, body = answer_to(impatient, [head])
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["limit"] == limit


@pytest.mark.parametrize("part", [b"X: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many headers", "one without end"])
def test_a_head_without_end_is_cut_off_and_takes_no_memory(impatient: Running, part: bytes):
    before = memory(impatient.process.pid)
    with socket.create_connection(impatient.address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        sends_until_cut_off(connection, repeat(part, 50_000))
    assert memory(impatient.process.pid) - before < 10 * 2**20
    assert httpx2.get(f"{impatient.url}/health/live").status_code == 200


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(impatient: Running):
    body = b'{"attributes": {}}'
    head = b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 18\r\n"
    with socket.create_connection(impatient.address, 60) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(65536) == CONTINUE
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/health/live"), ("GET", "/health/live"), ("GET", "/decode")])
def test_every_answer_of_a_connection_is_complete(impatient: Running, method: str, path: str):
    with httpx2.Client(base_url=impatient.url) as client:
        first = client.request(method, path)
        assert [client.request(method, path).status_code for _ in range(3)] == [200] * 3
        known = client.get(path, headers={"If-None-Match": first.headers.get("ETag", "-")})
        assert known.status_code == (304 if "ETag" in first.headers else 200)
        assert client.request(method, path).content == first.content


@pytest.mark.parametrize("more", [b"", b"\r\n"])
def test_a_connection_that_asks_no_more_is_closed_in_peace(impatient: Running, more: bytes):
    def cut_off() -> int:
        return sum("stalled" in line for line in impatient.log)

    before = cut_off()
    with socket.create_connection(impatient.address) as connection:
        connection.sendall(ASK % b"/health/live" + more)
        connection.settimeout(60)
        begin = time.monotonic()
        while connection.recv(65536):  # which a reset makes fail
            pass
        assert time.monotonic() - begin > 0.5
    assert cut_off() == before


@pytest.mark.parametrize("pipelined", [1, 600])
def test_what_is_refused_is_answered_on_a_connection_that_goes_on(busy: Running, pipelined: int):
    """Behind one that is answered, too, where each would be answered inside of the one before."""
    with socket.create_connection(busy.address) as connection:
        for _ in range(2):
            connection.sendall((ASK % b"/decode") * pipelined)
            assert answers(connection, pipelined).count(b"HTTP/1.1 503 Service Unavailable\r\n") == pipelined
            connection.sendall(ASK % b"/health/live" + (ASK % b"/decode") * pipelined)
            received = answers(connection, 1 + pipelined)
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
            assert received.count(b"HTTP/1.1 503 Service Unavailable\r\n") == pipelined


def test_a_refusal_says_the_same_however_it_is_asked_for(busy: Running):
    def asked(method: str, **headers: str) -> httpx2.Response:
        return httpx2.request(method, f"{busy.url}/decode", headers=headers)

    usual, others = asked("GET"), (asked("GET", Connection="close"), asked("GET", Origin="http://x"), asked("HEAD"))
    names = {*usual.headers}
    for other in others:
        assert other.status_code == usual.status_code == 503
        assert {*other.headers} - {"connection"} == names
        for name in names - {"x-request-id", "date"}:
            assert other.headers[name] == usual.headers[name]
    assert others[0].content == others[1].content == usual.content
    assert others[2].content == b""
    assert asked("GET", **{"X-Request-ID": "mine"}).headers["X-Request-ID"] == "mine"


def test_the_body_of_a_request_that_is_refused_is_passed_over_if_it_is_there(busy: Running):
    with socket.create_connection(busy.address) as connection:
        connection.sendall(POST % b"Content-Length: 5" + b"12345" + ASK % b"/health/live")
        received = answers(connection, 2)
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"HTTP/1.1 200 " in received
    assert b"connection: close" not in received


@pytest.mark.parametrize("kind", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_request_that_is_answered_before_its_body_is_there_ends_the_connection(
    impatient: Running, kind: str, method: str
):
    """And the client can read that while it sends."""
    head = f"{method} /nothing HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n\r\n"
    with socket.create_connection(impatient.address, 60) as connection:
        connection.sendall(head.encode())
        received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 404 ")
        assert received.count(b"\r\nconnection: close\r\n") == 1
        for _ in range(100):
            connection.sendall(b"x" * 100_000)
        connection.shutdown(socket.SHUT_WR)
        rest = b""
        while part := connection.recv(65536):
            rest += part
    assert b"HTTP/1.1 " not in rest


def test_a_connection_is_kept_as_long_as_something_is_answered_or_sent():
    """Though a request begins before the last is answered, or is rejected before its body is parsed."""
    answer = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answer.wait()
        await Response("done")(scope, receive, send)

    async def main() -> None:
        wire, admission = Wire(), Mock(raw_response=Mock(return_value=b""))
        config = uvicorn.Config(slow, log_config=None)
        keep_alive = config.timeout_keep_alive
        config.load()
        protocol = TimeoutProtocol(config, ServerState(), {}, admission, lambda: None)
        protocol.connection_made(wire)  # type: ignore[arg-type]

        async def open_after(seconds: float) -> bool:
            for _ in range(5):
                await asyncio.sleep(0)
            protocol.close_if_timed_out(time.monotonic() + seconds)
            return not wire.closed

        request = ASK % b"/"
        protocol.data_received(request + request[:20])
        answer.set()
        assert await open_after(keep_alive + 1), "the head of the second is due"
        answer.clear()
        protocol.data_received(request[20:])
        assert await open_after(1000), "the second is being answered"
        answer.set()
        assert await open_after(keep_alive - 1), "a third one may come"
        admission.raw_response.return_value = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
        protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n12")
        assert await open_after(keep_alive - 1), "a fourth one may come"
        assert not await open_after(keep_alive + 1)
        assert b"".join(wire.packets).count(b"HTTP/1.1 ") == 3

    asyncio.run(main())


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_an_upgrade_is_ignored_and_the_body_read(impatient: Running, upgrade: bytes):
    before = len(impatient.log)
    head = POST % (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nContent-Length: 18" % upgrade)
    with socket.create_connection(impatient.address) as connection:
        connection.sendall(head)
        connection.sendall(b'{"attributes": []}' + ASK % b"/health/live")
        received = answers(connection, 2)
    assert received.startswith(b"HTTP/1.1 422 ")
    assert b"HTTP/1.1 200 " in received
    assert impatient.log[before:] == []


def test_no_tunnel_is_made(impatient: Running):
    head, _ = answer_to(impatient, [b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    assert head.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("part", [b"a" * 200_000, b"A: b\r\n" * 200_000], ids=["a long trailer", "many trailers"])
def test_trailers_without_end_are_refused(impatient: Running, part: bytes):
    with socket.create_connection(impatient.address, 60) as connection:
        connection.sendall(POST % b"Transfer-Encoding: chunked" + b"1\r\n{\r\n0\r\nX: " + part)
        assert connection.recv(65536).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "closes",
    [b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
)
def test_a_connection_that_is_to_be_closed_is_cut_off_if_the_client_takes_nothing(impatient: Running, closes: bytes):
    """Of an answer that fits into the buffer of the server, which then never has to wait for room."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.connect(impatient.address)
        connection.sendall(b"GET /openapi.json " + closes)
        poll = select.poll()
        poll.register(connection, select.POLLHUP | select.POLLERR)
        assert poll.poll(60_000)


def test_memory_of_pipelined_requests_comes_back(impatient: Running):
    """Little by little, so that reads end with a request: half a head would be refused."""
    requests = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    before = memory(impatient.process.pid)
    for _ in range(5):
        with socket.create_connection(impatient.address) as connection, suppress(OSError):
            for _ in range(100):
                connection.sendall(requests)
                connection.settimeout(0.01)
                with suppress(TimeoutError):
                    connection.recv(2**20)
                connection.settimeout(5)
    assert memory(impatient.process.pid) - before < 20 * 2**20
    assert httpx2.get(f"{impatient.url}/health/live").status_code == 200
