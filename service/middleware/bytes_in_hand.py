"""A budget of bytes: what one process holds of all clients together, and of each address."""

from __future__ import annotations

import asyncio
import ctypes

from service.problems import Problem, over_limit

RETRY_SECONDS = 1
# Once so many bytes fewer are in hand than were, their memory is given back to the system a moment later.
TRIM_BYTES, TRIM_SECONDS = 2**25, 1


class BytesInHand:
    """Counts the bytes of bodies that have come and of answers that are not taken: at most ``limit`` of them.

    One address may hold half, so that nobody alone keeps others out. Behind a proxy whose headers are not believed all
    clients have one address.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.share = limit // 2
        """What one address may hold."""
        self.total = 0
        self._by_address: dict[str, int] = {}
        self._most = 0  # since memory was given back

    def take(self, address: str, size: int) -> None:
        """Hold ``size`` bytes more; raises Problem 503 if there is no room now, 413 if there never is."""
        if size > self.share:
            raise Problem(413, f"an answer may have {self.share} bytes, not {size}: ask for less", limit=self.share)
        held = self._by_address.get(address, 0) + size
        if held > self.share or self.total + size > self.limit:
            detail = f"bodies and answers of {self.limit} bytes, or {self.share} of one address, are in hand"
            raise over_limit(503, detail, RETRY_SECONDS, self.limit)
        self._by_address[address] = held
        self.total += size
        self._most = max(self._most, self.total)

    def release(self, address: str, size: int) -> None:
        """Hold ``size`` bytes less."""
        self.total -= size
        left = self._by_address[address] - size
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]
        if self._most - self.total >= TRIM_BYTES:
            self._most = self.total
            loop = asyncio.get_running_loop()
            loop.call_later(TRIM_SECONDS, loop.run_in_executor, None, give_memory_back)


def give_memory_back() -> None:
    """Give memory that was freed back to the system. glibc keeps what lies between other things in use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    if trim:
        trim(0)
