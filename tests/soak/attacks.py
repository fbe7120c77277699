"""What strangers and clients with a key send to bring a service down: each attack is one connection, again and again.

``python -m tests.soak.attacks PORT CONNECTIONS SECONDS KIND ...`` makes them, and prints how many there were of each.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from io import BytesIO
from itertools import count

from PIL import Image

from tests.soak.bombs import _scans
from tests.soak.client import KEY
from tests.soak.png import black, chunk, png

SHORTEST, SECONDS = 5, 20
"""After so many an attack ends, and another begins; not all at the same time."""
ADDRESS = "127.0.0.2"
"""Where attackers connect from: others have half of the bytes in hand, whatever one address holds."""
SMALL = 2048
"""Bytes that the kernel keeps for a client that takes nothing."""
MEGABYTE = 2**20
HOST, KEYED = b"host: localhost\r\n", b"host: localhost\r\nx-api-key: " + KEY.encode() + b"\r\n"
CHUNKED = b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
PROBE = b"GET /health/live HTTP/1.1\r\n" + HOST

Attack = Callable[["Peer"], object]


class Peer:
    """A connection that sends and takes as it likes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    async def send(self, *parts: bytes) -> None:
        """Send all, as fast as it is taken."""
        for part in parts:
            await self._loop.sock_sendall(self._connection, part)

    async def flood(self, part: bytes) -> None:
        """Send the same without end."""
        while True:
            await self.send(part)
            await asyncio.sleep(0)

    async def take(self, size: int = 2**16) -> bytes:
        """What has come; nothing at the end."""
        return await self._loop.sock_recv(self._connection, size)

    async def take_all(self) -> None:
        """Take whatever comes until the connection ends."""
        while await self.take():
            pass

    async def ask(self, request: bytes) -> None:
        """Send a request, and take its answer."""
        taking = asyncio.create_task(self.take_all())
        try:
            await self.send(request)
            await taking
        finally:
            taking.cancel()


def post(path: str, media: str, body: bytes, *more: str) -> bytes:
    """A request with a key, after which the connection ends."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"content-type: {media}",
        f"content-length: {len(body)}",
        "connection: close",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n" + KEYED + b"\r\n" + body


@cache
def infer() -> bytes:
    """A request whose answer has half a megabyte, of so few images that the queue is not full of them."""
    rows, weights = 16, 113
    tensor = {"name": "weights", "datatype": "FP32", "shape": [rows, weights], "data": [0.5] * rows * weights}
    return post("/v2/models/dsprites/infer", "application/json", json.dumps({"inputs": [tensor]}).encode())


def mpo() -> bytes:
    """A JPEG of a thousand scans that says it has a second picture."""
    out, picture = BytesIO(), Image.new("L", (16, 16))
    picture.save(out, "MPO", save_all=True, append_images=[picture])
    at = out.getvalue().index(b"\xff\xe2")
    (length,) = struct.unpack_from(">H", out.getvalue(), at + 2)
    data = _scans(4096, 1000)
    return data[:2] + out.getvalue()[at : at + 2 + length] + data[2:]


def jpeg(parts: bytes) -> bytes:
    """A small JPEG with more before its first segment."""
    out = BytesIO()
    Image.new("L", (16, 16)).save(out, "JPEG")
    return out.getvalue()[:2] + parts + out.getvalue()[2:]


def gif() -> bytes:
    """A GIF whose comment is in blocks of one byte."""
    out = BytesIO()
    Image.new("L", (8, 8)).save(out, "GIF")
    start = 13 + 3 * 2 ** ((out.getvalue()[10] & 7) + 1)
    return out.getvalue()[:start] + b"\x21\xfe" + b"\1x" * 2_000_000 + b"\0" + out.getvalue()[start:]


def exif() -> bytes:
    """A PNG with 65,535 entries of EXIF that are each larger than the file."""
    entry = struct.pack("<HHII", 0x10E, 2, 2**31, 8)
    return png(chunk(b"eXIf", b"II*\0" + struct.pack("<IH", 8, 65_535) + entry * 65_535), chunk(b"IDAT", black()))


def deep() -> bytes:
    """A PNG of 32 KB with 2^24 pixels of 16 bits."""
    side = 4096
    return png(chunk(b"IDAT", black(side, side, 16)), width=side, height=side, bits=16)


def form(boundary: str, parts: bytes, parameters: str = "") -> bytes:
    """A multipart form."""
    return post("/encode", f"multipart/form-data; boundary={boundary}{parameters}", parts)


FIELD = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n'


@cache
def payload(kind: str) -> bytes:
    """The request of an attack that is one request, made once."""
    return REQUESTS[kind]()


REQUESTS: dict[str, Callable[[], bytes]] = {
    "5: scans without end of an MPO": lambda: post("/encode", "image/jpeg", mpo()),
    "6: a charset that is slow to decode": lambda: form(
        "x", FIELD + b"\x80" * MEGABYTE + b"\r\n--x--\r\n", "; charset=punycode"
    ),
    "6: a boundary that nearly comes": lambda: form("x", FIELD + b"\r\n--y" * (2 * MEGABYTE) + b"\r\n--x--\r\n"),
    "8: very many segments of EXIF": lambda: post("/encode", "image/jpeg", jpeg(b"\xff\xe1\0\x08Exif\0\0" * 400_000)),
    "8: very many empty segments": lambda: post("/encode", "image/jpeg", jpeg(b"\xff\xe4\0\2" * 4_000_000)),
    "8: very many fill bytes": lambda: post("/encode", "image/jpeg", jpeg(b"\xff" * (15 * MEGABYTE))),
    "8: blocks of a byte": lambda: post("/encode", "image/gif", gif()),
    "9: 16 bits of as many pixels as may be": lambda: post("/encode", "image/png", deep()),
    "10: very many mistakes": lambda: post(
        "/encode", "application/json", json.dumps({"images": [1] * 262_000}).encode()
    ),
    "10: very many unknown keys": lambda: post(
        "/decode", "application/json", json.dumps({str(index): 0 for index in range(200_000)}).encode()
    ),
    "11: a probe with a long query": lambda: (
        PROBE.replace(b" HTTP", b"?" + b"&".join(b"%d=" % index for index in range(9_000)) + b" HTTP")
        + b"connection: close\r\n\r\n"
    ),
    "15: warnings of EXIF": lambda: post("/encode", "image/png", exif()),
    "15: a long Accept": lambda: (
        b"GET /decode HTTP/1.1\r\nconnection: close\r\naccept: " + b"a/b;q=.1," * 6500 + b"*/*\r\n" + KEYED + b"\r\n"
    ),
    "15: an upgrade that hides a request": lambda: (
        b"POST /decode HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: x\r\n"
        + KEYED
        + b"content-type: application/json\r\ncontent-length: 45\r\n\r\n"
        + PROBE
        + b"\r\n"
    ),
    "15: two hosts": lambda: PROBE + b"host: example.com\r\nconnection: close\r\n\r\n",
}
"""Each is sent whole, and its answer is taken."""  # fmt: skip


async def pipelined(peer: Peer) -> None:
    """Requests without waiting for answers, which are taken."""
    taking = asyncio.create_task(peer.take_all())
    try:
        await peer.flood((PROBE + b"\r\n") * 2000)
    finally:
        taking.cancel()


async def pipelined_untaken(peer: Peer) -> None:
    await peer.flood((PROBE + b"\r\n") * 2000)


async def trailers(peer: Peer) -> None:
    await peer.send(b"POST /decode HTTP/1.1\r\n" + HOST + CHUNKED + b"0\r\nx: ")
    await peer.flood(b"a" * 60_000)


async def extensions(peer: Peer) -> None:
    await peer.send(b"POST /decode HTTP/1.1\r\n" + KEYED + CHUNKED + b"1;a=")
    await peer.flood(b"a" * 60_000)


async def tiny_chunks(peer: Peer) -> None:
    await peer.send(b"POST /decode HTTP/1.1\r\n" + KEYED + CHUNKED)
    await peer.flood(b"1\r\n \r\n" * 10_000)


async def pages_untaken(peer: Peer) -> None:
    await peer.send(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n")
    await asyncio.sleep(SECONDS)


async def pages_sipped(peer: Peer) -> None:
    """A page that is taken so slowly that it never ends, and never stops."""
    await peer.send(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n")
    while await peer.take(64):
        await asyncio.sleep(0.5)


async def zeros(peer: Peer) -> None:
    """A body of 200 MiB, whose length has twenty zeros before it."""
    length = b"content-length: %s%d\r\n\r\n" % (b"0" * 20, 200 * MEGABYTE)
    await peer.send(b"POST /decode HTTP/1.1\r\n" + KEYED + b"content-type: application/json\r\n" + length)
    await peer.flood(b" " * MEGABYTE)


async def closed_untaken(peer: Peer) -> None:
    await peer.send(b"GET /openapi.json HTTP/1.1\r\nconnection: close\r\n" + HOST + b"\r\n")
    await asyncio.sleep(SECONDS)


async def bodies(peer: Peer) -> None:
    """A body of 10 MiB of which the last byte never comes."""
    length = b"content-type: image/png\r\ncontent-length: %d\r\n\r\n" % (10 * MEGABYTE)
    await peer.send(b"POST /encode HTTP/1.1\r\n" + KEYED + length, b"\0" * (10 * MEGABYTE - 1))
    await peer.take_all()


async def heads(peer: Peer) -> None:
    """A head whose body never comes."""
    await peer.send(b"POST /encode HTTP/1.1\r\n" + KEYED + b"content-type: image/png\r\ncontent-length: 10\r\n\r\n")
    await peer.take_all()


async def answers(peer: Peer) -> None:
    """Large answers that nobody takes."""
    await peer.send(infer())
    await asyncio.sleep(SECONDS)


ATTACKS: dict[str, Attack] = {
    "1: pipelined requests": pipelined,
    "1: the same, whose answers are not taken": pipelined_untaken,
    "2: a trailer without end": trailers,
    "2: a chunk extension without end": extensions,
    "2: chunks of a byte": tiny_chunks,
    "3: pages that nobody takes": pages_untaken,
    "3: pages that are sipped": pages_sipped,
    "4: a length with twenty zeros": zeros,
    "7: answers before the end that nobody takes": closed_untaken,
    "9: bodies that never end": bodies,
    "9: heads without bodies": heads,
    "9: answers that nobody takes": answers,
    **{kind: lambda peer, kind=kind: peer.ask(payload(kind)) for kind in REQUESTS},  # type: ignore[misc]
}
"""By the row of the issue that they belong to, and what they are."""


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    """A new connection that takes little at once, for as long as an attack lasts."""
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        connection.bind((ADDRESS, 0))
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(random.uniform(SHORTEST, SECONDS)):
                await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
                yield Peer(connection)


async def besiege(port: int, connections: int, seconds: float, kinds: list[str]) -> Counter[str]:
    """Attack on so many connections at once, each kind in turn; gives how often each was made."""
    end = time.monotonic() + seconds
    made: Counter[str] = Counter()
    turn = count()

    async def attack() -> None:
        while time.monotonic() < end:
            kind = kinds[next(turn) % len(kinds)]
            made[kind] += 1
            async with connected(port) as peer:
                await ATTACKS[kind](peer)  # type: ignore[misc]
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(attack()) for _ in range(connections)]
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return made


if __name__ == "__main__":
    os.nice(10)  # attackers have machines of their own, and must not have this one's time before the service
    port, connections, seconds, *kinds = sys.argv[1:]
    for each in REQUESTS:
        payload(each)
    print("ready", flush=True)
    print(json.dumps(asyncio.run(besiege(int(port), int(connections), float(seconds), kinds or [*ATTACKS]))))
