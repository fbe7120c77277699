"""One request after the other: what waits behind one that is not answered, and where each ends."""

from __future__ import annotations

import asyncio
import gc
import re
import weakref
from typing import Any

import pytest

from service.server.protocol import BODY_SECONDS, BODY_STEP_BYTES, BODY_STEP_SECONDS
from tests.service.server.connected import Connected
from tests.service.server.connections import ASK


def test_nothing_is_parsed_or_read_while_a_request_waits():
    async def main() -> None:
        client = Connected()
        await client.send((ASK % b"/") * 1000)
        assert len(client.asked) == 1
        assert client.wire.paused
        client.protocol.flow.resume_reading()  # as when an application receives
        assert client.wire.paused
        client.answer.set()
        for _ in range(100):
            await client.settle()
        assert len(client.asked) == 1000
        assert not client.wire.paused

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["rejections", "chunks"])
def test_others_have_their_turn_while_much_is_parsed(kind: str):
    async def main() -> None:
        client = Connected()
        admission: Any = client.protocol._admission
        if kind == "rejections":
            admission.raw_response.return_value = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
            client.protocol.data_received((ASK % b"/") * 1000)
            assert 0 < len(client.wire.packets) < 100
        else:
            chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            client.protocol.data_received(chunked + (b"20\r\n" + b"a" * 32 + b"\r\n") * 5000 + b"0\r\n\r\n")
            assert 0 < len(client.protocol.cycle.body) < 32 * 2000
        assert client.wire.paused
        for _ in range(10):
            await client.settle()
        if kind == "rejections":
            assert len(client.wire.packets) == 1000
        else:
            assert len(client.protocol.cycle.body) == 32 * 5000

    asyncio.run(main())


def test_what_waits_behind_an_unanswered_request_is_limited():
    async def main() -> None:
        client = Connected()
        await client.send((ASK % b"/") * 6000)
        client.answer.set()
        await client.settle()
        sent = b"".join(client.wire.packets)
        assert re.findall(rb"HTTP/1.1 (\d+)", sent) == [b"200", b"429"]
        assert b"\r\nconnection: close\r\n" in sent
        assert client.wire.ended

    asyncio.run(main())


@pytest.mark.parametrize(
    "sent",
    [(ASK % b"/") * 1000, (ASK % b"/").replace(b"\r\n\r\n", b"\r\nHost: x\r\n\r\n"), b"GET / HTTP/2.0\r\n\r\n"],
    ids=["pipelined", "refused while it is parsed", "refused before"],
)
def test_nothing_of_a_connection_is_left_when_it_ends(sent: bytes):
    async def main() -> bool:
        client = Connected()
        await client.send(sent)
        client.protocol.connection_lost(None)
        client.answer.set()
        await client.settle()
        left = weakref.ref(client.protocol)
        client.asked.clear()
        del client.protocol
        return left() is None

    gc.disable()  # it is not left to the garbage collector
    try:
        assert asyncio.run(main())
    finally:
        gc.enable()


@pytest.mark.parametrize("framing", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
def test_a_body_must_come_at_a_least_rate(monkeypatch: pytest.MonkeyPatch, framing: str):
    now = 1000.0
    monkeypatch.setattr("service.server.protocol.monotonic", lambda: now)

    async def main() -> None:
        nonlocal now
        client = Connected()

        async def send(size: int) -> None:
            await client.send(b"%x\r\n%s\r\n" % (size, b"x" * size) if "chunked" in framing else b"x" * size)

        def is_cut_off(at: float) -> bool:
            nonlocal now
            now = at
            client.protocol.close_if_timed_out(now)
            return client.wire.aborted

        await client.send(f"POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
        for step in range(3):
            assert not is_cut_off(1009 + 9 * step)
            await send(BODY_STEP_BYTES + 10)  # the parser may have the last bytes later
        assert not is_cut_off(1036)
        await send(BODY_STEP_BYTES - 100)
        assert is_cut_off(1028 + BODY_STEP_SECONDS)

    asyncio.run(main())


def test_a_body_has_a_time_limit_however_fast_it_comes(monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr("service.server.protocol.monotonic", lambda: now)

    async def main() -> None:
        nonlocal now
        client = Connected()
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(BODY_SECONDS):
            client.protocol.close_if_timed_out(now)
            assert not client.wire.aborted
            await client.send(bytes(BODY_STEP_BYTES))
            now += 1
        client.protocol.close_if_timed_out(now + 0.1)
        assert client.wire.aborted

    asyncio.run(main())


def test_pipelined_requests_are_answered_in_order():
    async def main() -> None:
        client = Connected()
        body = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        posts = b"".join(b"POST /%d HTTP/1.1\r\nHost: x\r\n%s" % (number, body) for number in range(3, 6))
        await client.send(b"".join(ASK % b"/%d" % number for number in range(3)) + posts)
        client.answer.set()
        await client.settle()
        assert re.findall(rb"\r\n\r\n/(\d)", b"".join(client.wire.packets)) == [b"%d" % n for n in range(6)]

    asyncio.run(main())


def test_what_is_wrong_behind_a_good_request_is_answered_after_it():
    async def main() -> None:
        client = Connected()
        await client.send(ASK % b"/" + b"\x16\x03")
        assert client.wire.packets == []
        client.answer.set()
        await client.settle()
        assert re.findall(rb"HTTP/1.1 (\d+)", b"".join(client.wire.packets)) == [b"200", b"400"]

    asyncio.run(main())


def test_a_body_that_turns_out_wrong_is_answered_once():
    async def main() -> None:
        client = Connected()
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno\r\n\r\n")
        client.answer.set()
        await client.settle()
        assert re.findall(rb"HTTP/1.1 (\d+)", b"".join(client.wire.packets)) == [b"400"]

    asyncio.run(main())


def test_trailers_become_no_headers():
    async def main() -> None:
        client = Connected()
        chunks = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-API-Key: mine\r\n\r\n"
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + chunks)
        assert client.asked[0]["headers"] == [(b"host", b"x"), (b"transfer-encoding", b"chunked")]

    asyncio.run(main())


def test_a_body_and_half_of_the_next_head_in_one_read_are_right():
    async def main() -> None:
        client = Connected()
        client.answer.set()
        body = b"x" * 100_000
        sent = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body + ASK % b"/second"
        await client.send(sent[:-10])
        assert not client.wire.paused, "though nobody took the body"
        await client.send(sent[-10:])
        assert re.findall(rb"HTTP/1.1 (\d+)", b"".join(client.wire.packets)) == [b"200"] * 2

    asyncio.run(main())
