"""Request bodies of the protocol: JSON, and the binary data behind it."""

from __future__ import annotations

from fastapi import Request

from service.problems import Problem
from service.web.request_bodies import JSON, accept, media_type, read_body

BINARY = "application/octet-stream"
HEADER_LENGTH = "Inference-Header-Content-Length"
# About how long a byte of tensors takes to be read or written: as binary data, and as JSON.
MICROSECONDS_PER_BINARY_BYTE = 0.00025
MICROSECONDS_PER_JSON_BYTE = 0.004


async def read_request(request: Request, limit: int) -> bytes:
    """The body, decompressed; raises Problem 400, 413 or 415. Clients may leave out its Content-Type."""
    if media := media_type(request):
        accept(media, (JSON, BINARY))
    return await read_body(request, limit)


def split_binary(request: Request, body: bytes) -> tuple[memoryview, memoryview]:
    """The JSON of a body, and the binary data behind it; raises Problem 400 for an impossible header."""
    given = request.headers.get(HEADER_LENGTH)
    length = len(body) if given is None else int(given) if given.isdecimal() and len(given) < 20 else -1
    if not 0 <= length <= len(body):
        raise Problem(400, f"{HEADER_LENGTH}: got {(given or '')[:80]!r}; accepts at most the body's {len(body)} bytes")
    view = memoryview(body)
    return view[:length], view[length:]
