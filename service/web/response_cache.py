"""The response cache: decoding is deterministic, so that an answer is kept under its ETag, up to so many bytes."""

from __future__ import annotations

from typing import NamedTuple

from cachetools import LRUCache

from service.observability.metrics import CACHE, CACHE_BYTES

OVERHEAD = 512
"""About what an entry takes besides its content, in bytes."""


class Answer(NamedTuple):
    """A body and the headers that go with it."""

    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


class Cache:
    """Answers by ETag, the least recently used ones dropped first. For the event loop only; ``size`` 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._answers: LRUCache[str, Answer] = LRUCache(size, lambda answer: len(answer.content) + OVERHEAD)
        self._hits, self._misses = CACHE.labels("hit"), CACHE.labels("miss")

    def get(self, tag: str) -> Answer | None:
        """The answer of that ETag, if it is here."""
        if not self._answers.maxsize:
            return None
        answer = self._answers.get(tag)
        (self._misses if answer is None else self._hits).inc()
        return answer

    def put(self, tag: str, answer: Answer) -> None:
        """Keep an answer, unless it is too large to keep."""
        if len(answer.content) + OVERHEAD <= self._answers.maxsize:
            self._answers[tag] = answer
            CACHE_BYTES.set(self._answers.currsize)
