"""What the service knows of the request in hand, wherever it is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import getrandbits
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import Receive

if TYPE_CHECKING:  # the parent of worker processes logs, too, and needs none of it
    from service.batching.scheduler import Ticket
    from service.inference.model import Model

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


@dataclass(slots=True)
class Call:
    """One request: its id, when it began and must be answered (perf_counter), and where its time went (seconds)."""

    id: str
    receive: Receive
    ticket: Ticket | None = None
    deadline: float = math.inf
    start: float = field(default_factory=perf_counter)
    phases: dict[str, float] = field(default_factory=dict)
    model: Model | None = None
    """The one that answers."""
    route: str = "other"
    """Where it went, as the route is declared."""
    admin: bool = False
    """Whether it brings an API key that may administer."""

    @property
    def remaining(self) -> float:
        """Seconds until its deadline, at least 0."""
        return max(0.0, self.deadline - perf_counter())

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What its answer says of it."""
        timing = [f"{name};dur={1000 * seconds:.2f}" for name, seconds in self.phases.items()]
        timing.append(f"total;dur={1000 * (perf_counter() - self.start):.2f}")
        headers = [(b"x-request-id", self.id.encode()), (b"server-timing", ", ".join(timing).encode())]
        if self.model:
            headers += self.model.headers
        return headers

    def add(self, phase: str, seconds: float) -> None:
        """Add time to a phase."""
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds


current: ContextVar[Call] = ContextVar("call")
"""The request in hand."""


@contextmanager
def timed(phase: str) -> Iterator[None]:
    """Add the time spent inside to a phase of the request in hand."""
    start = perf_counter()
    try:
        yield
    finally:
        current.get().add(phase, perf_counter() - start)


def request_id(given: bytes) -> str:
    """The client's own X-Request-ID if it is sane, else a new one: no secret, so that no system call is spent on it."""
    return given.decode() if REQUEST_ID.fullmatch(given) else f"{getrandbits(128):032x}"
