"""Every process collects the same tests in the same order: pytest-xdist distributes them by number."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.support import ROOT


def collecting(seed: int) -> subprocess.Popen[str]:
    """A process that lists all tests, with the given hash seed."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_tests_have_the_same_names_and_order_at_another_time_and_with_another_hash_seed() -> None:
    first = collecting(1)
    time.sleep(1.1)  # a name with the time of day would have whole seconds
    second = collecting(2)
    outputs = [process.communicate(timeout=300)[0] for process in (first, second)]
    names, others = ([line for line in output.splitlines() if "::" in line] for output in outputs)
    assert len(names) > 1000
    assert names == others
