from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.processes import Running, running

IMPATIENT = (
    "import sys, service.server.closing as c, service.server.protocol as p;"
    "p.HEAD_SECONDS = p.BODY_SECONDS = c.WRITE_SECONDS = 1;"
    "from service.main import serve; sys.exit(serve(sys.argv[1:]))"
)
BUSY = (
    "import sys; from service.middleware.admission import AdmissionControl;"
    "AdmissionControl.in_flight = property(lambda admission: 1, lambda admission, number: None);"
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
    """A service that has as many requests in hand as it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.service.processes.START", BUSY)
        with running(bundles / "grey", "--max-requests", "1") as service:
            yield service
