"""Request bodies: decompressed within the limit of all bodies, and split into JSON and the binary data behind it."""

from __future__ import annotations

import zlib

from fastapi import Request

from service.problems import Problem
from service.threads import in_thread
from service.web.request_bodies import JSON, accept, media_type, read_body

BINARY = "application/octet-stream"
HEADER_LENGTH = "Inference-Header-Content-Length"
# zlib's name of each format. What HTTP calls deflate is the zlib format.
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
# Bytes of input, and of output, of one step when the size of a body is found.
STEP_BYTES = 2**16
# About how long a byte of tensors takes to be read or written: as binary data, and as JSON.
MICROSECONDS_PER_BINARY_BYTE = 0.00025
MICROSECONDS_PER_JSON_BYTE = 0.004


async def read_decompressed(request: Request, limit: int) -> bytes:
    """The body, decompressed; raises Problem 400, 413 or 415. Clients may leave out its Content-Type."""
    if media := media_type(request):
        accept(media, (JSON, BINARY))
    body = await read_body(request)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in WINDOW_BITS:
        accepted = ", ".join(WINDOW_BITS)
        raise Problem(
            415,
            f"the body: Content-Encoding {encoding[:80]!r}; accepts {accepted}",
            headers={"Accept-Encoding": accepted},
        )
    return await in_thread(lambda: decompress(body, encoding, limit))


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The content of a body in gzip or deflate; raises Problem 400 where it is damaged, 413 past ``limit`` bytes."""
    inflate = zlib.decompressobj(WINDOW_BITS[encoding])
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
    """Whether a body has more than ``limit`` bytes, decompressed. It is counted without keeping the content."""
    inflate, size = zlib.decompressobj(WINDOW_BITS[encoding]), 0
    for start in range(0, len(body), STEP_BYTES):
        rest = body[start : start + STEP_BYTES]
        while size <= limit and (content := inflate.decompress(rest, STEP_BYTES)):
            size += len(content)
            rest = inflate.unconsumed_tail
    return size > limit


def split_binary(request: Request, body: bytes) -> tuple[memoryview, memoryview]:
    """The JSON of a body, and the binary data behind it; raises Problem 400 for an impossible header."""
    given = request.headers.get(HEADER_LENGTH)
    length = len(body) if given is None else int(given) if given.isdecimal() and len(given) < 20 else -1
    if not 0 <= length <= len(body):
        raise Problem(400, f"{HEADER_LENGTH}: got {(given or '')[:80]!r}; accepts at most the body's {len(body)} bytes")
    view = memoryview(body)
    return view[:length], view[length:]
