"""Bodies of requests: decompressed within the limit that holds for all, and parted into JSON and what follows it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

from anyio import to_thread
from fastapi import Request

from service.problems import Problem
from service.web.request_bodies import JSON, accept, media_type

BINARY = "application/octet-stream"
HEADER_LENGTH = "Inference-Header-Content-Length"
WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""zlib's name for each format; HTTP's deflate is the format of zlib."""
PIECE = 2**16
"""Bytes that are decompressed, and that come of it, at a time to see how many there are."""
SMALL = 2**21
"""Bytes of tensors that are handled sooner, in half a millisecond, than a thread would have done it."""
TEXT = 16
"""Bytes of tensors that are handled while one byte of them is read or written as JSON."""

T = TypeVar("T")


async def aside(size: int, work: Callable[[], T]) -> T:
    """What ``work`` on so many bytes gives; done in a thread unless it is small."""
    return work() if size <= SMALL else await to_thread.run_sync(work)


async def read_body(request: Request) -> bytes:
    """The body, decompressed; raises Problem 400, 413 or 415. Clients may leave out its Content-Type."""
    if media := media_type(request):
        accept(media, (JSON, BINARY))
    limit: int = request.app.state.settings.max_body_bytes
    body = await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in WINDOW:
        accepted = ", ".join(WINDOW)
        raise Problem(
            415,
            f"the body: Content-Encoding {encoding[:80]!r}; accepts {accepted}",
            headers={"Accept-Encoding": accepted},
        )
    return await to_thread.run_sync(decompress, body, encoding, limit)


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The content of a body in gzip or deflate; raises Problem 400 where it is damaged, 413 past ``limit`` bytes."""
    inflate = zlib.decompressobj(WINDOW[encoding])
    try:
        if _grows_past(limit, body, encoding):
            raise Problem(413, f"a body may have {limit} bytes, decompressed", limit=limit)
        content = inflate.decompress(body)
    except zlib.error as error:
        raise Problem(400, f"the body: damaged {encoding}: {error}") from None
    if not inflate.eof or inflate.unused_data:
        raise Problem(400, f"the body: damaged {encoding}: {'goes on after' if inflate.eof else 'ends before'} its end")
    return content


def _grows_past(limit: int, body: bytes, encoding: str) -> bool:
    """Whether a body has more than ``limit`` bytes, decompressed; found out without keeping them."""
    inflate, size = zlib.decompressobj(WINDOW[encoding]), 0
    for start in range(0, len(body), PIECE):
        rest = body[start : start + PIECE]
        while size <= limit and (content := inflate.decompress(rest, PIECE)):
            size += len(content)
            rest = inflate.unconsumed_tail
    return size > limit


def part(request: Request, body: bytes) -> tuple[memoryview, memoryview]:
    """The JSON of a body, and the binary data behind it; raises Problem 400 for a header that can't be right."""
    given = request.headers.get(HEADER_LENGTH)
    length = len(body) if given is None else int(given) if given.isdecimal() and len(given) < 20 else -1
    if not 0 <= length <= len(body):
        raise Problem(400, f"{HEADER_LENGTH}: got {(given or '')[:80]!r}; accepts at most the body's {len(body)} bytes")
    view = memoryview(body)
    return view[:length], view[length:]
