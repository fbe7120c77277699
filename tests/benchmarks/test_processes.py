from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.processes import Process, ServerError, busy_seconds
from benchmarks.protocols import JSON, Message
from benchmarks.servers import BARE, PLAIN, SERVERS

ASK = Message("/decode", JSON, b"{}")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Process]:
    with Process(SERVERS[BARE], tmp_path, workers=2, first=ASK) as process:
        yield process


def state(pid: int) -> str:
    """The state letter of ps: S sleeps, R runs, T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_ready_once_it_has_responded(bare: Process) -> None:
    assert 0 < bare.seconds < 60
    assert len(bare.ask(ASK)) == 4096


def test_memory_and_time_are_sums_over_all_its_processes(bare: Process) -> None:
    assert len(bare.tree()) >= 3  # the parent and two workers
    assert bare.resident() > 2 * 10 * 2**20
    assert 0 < bare.processor_seconds() <= busy_seconds()


def test_it_is_paused_but_in_its_turn(bare: Process) -> None:
    bare.pause()
    wait_for(lambda: {state(pid) for pid in bare.tree()} == {"T"})
    with bare.awake():
        assert len(bare.ask(ASK)) == 4096
    wait_for(lambda: {state(pid) for pid in bare.tree()} == {"T"})


def test_no_process_is_left_behind_even_if_it_was_paused(tmp_path: Path) -> None:
    with Process(SERVERS[BARE], tmp_path, workers=2, first=ASK) as process:
        pids = process.tree()
        process.pause()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") and state(pid) != "Z" for pid in pids))


def test_the_error_of_a_server_that_ends_has_its_log(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"manifest\.json"), Process(SERVERS[PLAIN], tmp_path, 1, ASK):
        pass  # the folder holds no bundle
