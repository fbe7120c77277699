"""Every process finds the same tests: several share them out by number."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.support import ROOT


def collecting(seed: int) -> subprocess.Popen[str]:
    """A process that lists all tests, with a hash seed of its own."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_tests_have_the_same_names_and_order_at_another_time_and_with_another_hash_seed() -> None:
    first = collecting(1)
    time.sleep(1.1)  # names that hold the time of day hold whole seconds
    second = collecting(2)
    (one, _), (other, _) = first.communicate(timeout=300), second.communicate(timeout=300)
    names, others = ([line for line in listed.splitlines() if "::" in line] for listed in (one, other))
    assert len(names) > 1000
    assert names == others
