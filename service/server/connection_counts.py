"""Who of several workers accepts the next connection: about as many for each, so that no core waits for another."""

from __future__ import annotations

from multiprocessing import get_context

DEAD = 2**31 - 1


class Shares:
    """How many connections each worker has, in memory that all of them see."""

    def __init__(self, workers: int) -> None:
        self._counts = get_context("spawn").RawArray("i", [DEAD] * workers)

    def tell(self, worker: int, connections: int) -> None:
        """Say how many a worker has."""
        self._counts[worker] = connections

    def forget(self, worker: int) -> None:
        """A worker died, or does not accept connections yet: nobody waits for it."""
        self._counts[worker] = DEAD

    def ahead(self, worker: int) -> bool:
        """Whether it has more than another one, by over a quarter."""
        fewest = min(self._counts)
        return bool(self._counts[worker] > fewest + fewest // 4)
