"""The request context: what the service knows of the request in hand, wherever it is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import getrandbits
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import Receive

if TYPE_CHECKING:  # the parent of worker processes logs, too, and needs none of what the scheduler imports
    from service.batching.jobs import Reservation

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
UNKNOWN_ROUTE = "other"


@dataclass(slots=True)
class RequestContext:
    """One request. Times are those of perf_counter, in seconds."""

    id: str
    receive: Receive
    reservation: Reservation | None = None
    """Its room in the queue of the default model; None if the path did not tell which queue it is for."""
    deadline: float = math.inf
    start: float = field(default_factory=perf_counter)
    phases: dict[str, float] = field(default_factory=dict)
    """Where its time went, in seconds."""
    model_headers: Sequence[tuple[bytes, bytes]] = ()
    """What the response says of the model that made it."""
    route: str = UNKNOWN_ROUTE
    """The route as it is declared."""
    admin: bool = False
    """Whether it brings an API key of scope admin."""

    @property
    def remaining(self) -> float:
        """Seconds until its deadline, at least 0."""
        return max(0.0, self.deadline - perf_counter())

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The response headers that tell of the request: its id, its time and its model."""
        timing = [f"{name};dur={1000 * seconds:.2f}" for name, seconds in self.phases.items()]
        timing.append(f"total;dur={1000 * (perf_counter() - self.start):.2f}")
        return [
            (b"x-request-id", self.id.encode()),
            (b"server-timing", ", ".join(timing).encode()),
            *self.model_headers,
        ]

    def add_timing(self, phase: str, seconds: float) -> None:
        """Add seconds to a phase."""
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds


current_request: ContextVar[RequestContext] = ContextVar("request")


@contextmanager
def timed_phase(phase: str) -> Iterator[None]:
    """Add the time spent inside to a phase of the request in hand."""
    start = perf_counter()
    try:
        yield
    finally:
        current_request.get().add_timing(phase, perf_counter() - start)


def request_id(sent: bytes) -> str:
    """The client's own X-Request-ID if it is well-formed, else a new one."""
    # The id is no secret: random bytes of the operating system would cost a system call.
    return sent.decode() if REQUEST_ID.fullmatch(sent) else f"{getrandbits(128):032x}"
