from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path

from service.server.connection_counts import ConnectionCounts
from tests.service.processes import running


def test_a_worker_is_ahead_of_those_that_have_fewer_but_not_of_the_dead():
    shares = ConnectionCounts(3)
    assert not any(shares.has_more_than_others(worker) for worker in range(3))
    shares.set(0, 5)
    assert not shares.has_more_than_others(0)
    shares.set(1, 3)
    assert shares.has_more_than_others(0)
    assert not shares.has_more_than_others(1)
    shares.set(1, 4)
    assert not shares.has_more_than_others(0)
    shares.set(2, 0)
    assert shares.has_more_than_others(0)
    shares.clear(2)
    assert not shares.has_more_than_others(0)


def test_connections_that_come_at_once_are_shared_evenly(bundles: Path):
    with running(bundles / "grey", "--workers", "2") as service, ExitStack() as clients:
        time.sleep(0.5)
        before = [sockets(worker) for worker in service.workers]
        for _ in range(40):
            clients.enter_context(socket.create_connection(service.address))
        time.sleep(0.5)
        grown = [sockets(worker) - had for worker, had in zip(service.workers, before, strict=True)]
        assert sum(grown) == 40
        assert min(grown) >= 15


def sockets(pid: int) -> int:
    """How many sockets a process has open."""
    return sum("socket:" in str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink())
