from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from service.server.connection_counts import ConnectionCounts
from tests.service.processes import running, wait_until


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
    with running(bundles / "grey", "--workers", "2") as service:
        _, port = service.address

        def shares() -> list[int]:
            return [connections(worker, port) for worker in service.workers]

        def shared_evenly() -> bool:
            """Once both workers accept: the first one to do so takes all until then."""
            with ExitStack() as clients:
                wait_until(lambda: not any(shares()))
                for _ in range(40):
                    clients.enter_context(socket.create_connection(service.address))
                wait_until(lambda: sum(shares()) == 40)
                return min(shares()) >= 15

        wait_until(shared_evenly)


def connections(pid: int, port: int) -> int:
    """How many established connections to a port a process has."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01"}
    files = [file for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()]
    return sum(str(file.readlink()) in established for file in files)
