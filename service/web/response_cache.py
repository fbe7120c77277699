"""The response cache: decoding is deterministic, so that a response can be kept under its ETag."""

from __future__ import annotations

from cachetools import LRUCache

from service.observability.metrics import CACHE, CACHE_BYTES
from service.web.bytes_response import BytesResponse

# What an entry takes besides its body, in bytes: its headers, its ETag, and its places in two tables.
OVERHEAD = 900


class ResponseCache:
    """Responses by ETag, at most ``size`` bytes; the least recently used ones go first. For the event loop only."""

    def __init__(self, size: int) -> None:
        self._responses: LRUCache[str, BytesResponse] = LRUCache(size, lambda each: len(each.body) + OVERHEAD)
        self._hits, self._misses = CACHE.labels("hit"), CACHE.labels("miss")
        self.keeps = size > 0

    def get(self, etag: str) -> BytesResponse | None:
        """The response of that ETag, if it is kept."""
        if not self.keeps:
            return None
        response = self._responses.get(etag)
        (self._misses if response is None else self._hits).inc()
        return response

    def put(self, etag: str, response: BytesResponse) -> None:
        """Keep a response, unless it is too large."""
        if len(response.body) + OVERHEAD <= self._responses.maxsize:
            self._responses[etag] = response
            CACHE_BYTES.set(self._responses.currsize)
