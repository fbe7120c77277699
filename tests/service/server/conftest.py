from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import Running, running, wait_until

IMPATIENT = (
    "import sys, service.server.closing as c, service.server.protocol as p;"
    "p.HEAD_SECONDS = p.BODY_SECONDS = c.WRITE_SECONDS = 1;"
    "from service.main import serve; sys.exit(serve(sys.argv[1:]))"
)


@pytest.fixture(scope="module")
def impatient(bundles: Path) -> Iterator[Running]:
    """A service that gives clients a second where it gives 10 to 60 otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.service.processes.START", IMPATIENT)
        with running(bundles / "grey", "--keep-alive-seconds", "1") as service:
            yield service


@pytest.fixture
def busy(bundles: Path) -> Iterator[Running]:
    """A service that has as many requests in hand as it takes: one, of which half the body is there."""
    with running(bundles / "grey", "--max-requests", "1") as service, socket.create_connection(service.address) as held:
        held.sendall(
            b"POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        wait_until(lambda: httpx2.get(f"{service.url}/decode").status_code == 503)
        yield service
