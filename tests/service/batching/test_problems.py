from __future__ import annotations

import pytest

from service.batching.jobs import DeadlinePassed, QueueClosed, QueueFull
from service.batching.problems import NOT_RUN, not_run


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [(QueueFull(3, 100, 2.1), 429, "3"), (QueueClosed(), 503, "1"), (DeadlinePassed(), 504, None)],
    ids=["full", "closed", "late"],
)
def test_each_reason_has_a_status_and_says_when_to_come_again(error: Exception, status: int, retry_after: str | None):
    problem = not_run(error)
    assert problem.status_code == status
    assert (problem.headers or {}).get("Retry-After") == retry_after
    assert isinstance(error, NOT_RUN)


def test_a_full_queue_tells_its_limit():
    assert not_run(QueueFull(3, 100, 2.1)).members == {"limit": 100}
