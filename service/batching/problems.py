"""The problems that answer requests whose job was not run."""

from __future__ import annotations

from service.batching.jobs import DeadlinePassed, QueueClosed, QueueFull
from service.problems import Problem, over_limit

NOT_RUN = (QueueFull, QueueClosed, DeadlinePassed)


def not_run(error: Exception) -> Problem:
    """429, 503 or 504 for one of ``NOT_RUN``."""
    if isinstance(error, QueueFull):
        return over_limit(429, str(error), error.retry_after, error.limit)
    if isinstance(error, DeadlinePassed):
        return Problem(504, "the time that X-Request-Timeout-Ms gives was over before it was run")
    return Problem(503, "the service ends", headers={"Retry-After": "1"})
