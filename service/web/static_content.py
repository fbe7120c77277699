"""Content that is the same for everybody: made once, kept with its ETag, and compressed for clients that take that."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import anyio
from fastapi import Request, Response
from isal import igzip

from service.web.bytes_response import BytesResponse, Header
from service.web.responses import not_modified
from service.web.scope import joined_header

VARY: Header = (b"vary", b"Accept-Encoding")
# Characters of Accept-Encoding that are looked at. Browsers send 30.
MAX_CODINGS = 200


class StaticContent:
    """Bytes, and the responses that send them. All clients share these, so those that take nothing hold nothing."""

    def __init__(self, content: bytes, media: str) -> None:
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        compressed = igzip.compress(content)
        coded: Header = (b"content-encoding", b"gzip")
        self._plain = f'"{digest}"', BytesResponse(content, media, _etag(digest), VARY)
        self._gzip = (
            f'"{digest}-gzip"',
            BytesResponse(compressed, media, _etag(f"{digest}-gzip"), VARY, coded),
        )

    def response(self, request: Request) -> Response:
        """The response to a request: 304 to a client that has it."""
        tag, response = self._gzip if _takes_gzip(joined_header(request.scope, b"accept-encoding")) else self._plain
        if not not_modified(request, tag):
            return response
        known = Response(status_code=304)
        known.raw_headers += (_etag(tag.strip('"')), VARY)
        return known


class MadeOnce:
    """Static content for each path prefix, made when it is first asked for: once, however many ask meanwhile."""

    def __init__(self, make: Callable[[str], Awaitable[StaticContent]]) -> None:
        self._make = make
        self._made: dict[str, StaticContent] = {}
        self._lock = anyio.Lock()

    async def get(self, prefix: str) -> StaticContent:
        """The content for a prefix."""
        if prefix not in self._made:
            async with self._lock:
                if prefix not in self._made:
                    self._made[prefix] = await self._make(prefix)
        return self._made[prefix]


def _etag(digest: str) -> Header:
    return b"etag", f'"{digest}"'.encode()


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not with a q of 0."""
    for part in accepted[:MAX_CODINGS].lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "").rstrip(".0") != "q="
    return False
