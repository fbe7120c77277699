"""How many connections each worker has: the ones with fewer accept the next, so that no core waits for another."""

from __future__ import annotations

from multiprocessing import get_context

# The count of a worker that accepts no connections: nobody has more than it.
NOT_ACCEPTING = 2**31 - 1


class ConnectionCounts:
    """The number of connections of each worker, in memory that all workers share."""

    def __init__(self, workers: int) -> None:
        self._counts = get_context("spawn").RawArray("i", [NOT_ACCEPTING] * workers)

    def set(self, worker: int, connections: int) -> None:
        """Set the number of a worker's connections."""
        self._counts[worker] = connections

    def clear(self, worker: int) -> None:
        """Forget a worker that has died or does not accept connections yet."""
        self._counts[worker] = NOT_ACCEPTING

    def has_more_than_others(self, worker: int) -> bool:
        """Whether a worker has over a quarter more connections than another one."""
        fewest = min(self._counts)
        return bool(self._counts[worker] > fewest + fewest // 4)
