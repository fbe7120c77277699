from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.pair import Pair
from benchmarks.reference import write_reference


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the reference encoder and decoder."""
    path = tmp_path_factory.mktemp("benchmarks") / "reference"
    write_reference(path)
    return path


@pytest.fixture(scope="session")
def pair(reference: Path) -> Pair:
    """The reference encoder and decoder, as peers use them."""
    return Pair(reference)
