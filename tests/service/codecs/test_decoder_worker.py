"""The process that decodes, as the service meets it: over its socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from service.codecs.decoder_process import COMMAND
from service.codecs.decoder_worker import NICENESS
from service.codecs.messages import receive, send
from tests.service.codecs.pictures import noise, saved
from tests.support import ROOT

JOB = {"sources": [["the body", None]], "shape": [32, 32, 1], "max_items": 1, "max_pixels": 2**20}
FILE = saved(noise("L"))
DECODER = (*COMMAND, "60", str(2**28))


@contextmanager
def worker(
    command: Sequence[str] = (*COMMAND, "60", str(2**28)),
) -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    process = subprocess.Popen(command, stdin=theirs, env={"PYTHONPATH": str(ROOT)}, cwd="/")
    theirs.close()
    try:
        with ours:
            yield ours, process
    finally:
        process.kill()
        process.wait()


def ask(connection: socket.socket, file: bytes = FILE) -> tuple[dict[str, Any], list[bytes]]:
    send(connection, JOB, [file])
    with connection.makefile("rb") as stream:
        return receive(stream)


def test_it_answers_one_job_after_the_other_and_ends_when_the_service_does():
    with worker() as (connection, process):
        for _ in range(2):
            answer, images = ask(connection)
            assert answer["converted"] == [[]]
            assert answer["dtypes"] == ["uint8"]
            assert images == [noise("L").tobytes()]
        answer, images = ask(connection, b"no image")
        assert (answer["error"]["status"], answer["error"]["where"], images) == (400, "the body", [])
        connection.close()
        assert process.wait(60) == 0


def test_signals_to_all_processes_of_a_service_leave_its_job_alone():
    """The service finishes what is in flight, and needs it for that."""
    with worker() as (connection, process):
        ask(connection)
        for number in (signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        assert ask(connection)[1]


def test_the_service_goes_first():
    with worker() as (connection, process):
        ask(connection)
        priority = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(priority + NICENESS, 19)


@pytest.mark.parametrize(("patch", "expected"), [
    ("w.IDLE_SECONDS = 0.1; w.main(60, 2**28)", "ended"),
    ("w.decode_images = None; w.main(60, 2**28)", "bug"),
])  # fmt: skip
def test_it_ends_when_it_is_idle_and_tells_of_a_bug(patch: str, expected: str):
    with worker((sys.executable, "-c", f"import service.codecs.decoder_worker as w; {patch}")) as (connection, process):
        if expected == "ended":
            assert process.wait(60) == 0
        else:
            assert "TypeError" in ask(connection)[0]["bug"]
