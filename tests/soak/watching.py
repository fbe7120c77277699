"""How long others wait meanwhile: a client with a key, and a probe, in a process that nothing else keeps busy."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection

from tests.soak.client import Address, end_of_answer, request

PAUSE, PATIENCE = 0.02, 20
"""Seconds between two questions; within which an answer must come."""


@dataclass
class Seen:
    """What a watch has seen: milliseconds of the slowest answers, and what was wrong."""

    decode: float = 0
    ready: float = 0
    asked: int = 0
    faults: list[str] = field(default_factory=list)


@contextmanager
def watching(address: Address) -> Iterator[Seen]:
    """Ask again and again inside; what was seen is there afterwards."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_watch, args=(address, theirs), daemon=True)
    process.start()
    seen = Seen()
    ours.recv()
    try:
        yield seen
    finally:
        ours.send("enough")
        vars(seen).update(vars(ours.recv()))
        process.join()


def _watch(address: Address, pipe: Connection) -> None:
    seen = Seen()
    for number in count():
        decode = request("GET", f"/decode?scale={number % 6}&pos_x={number % 32}")
        longest = (_ask(address, decode, seen), _ask(address, request("GET", "/health/ready"), seen))
        if number == 0:  # the first questions are slow, and nothing happens yet
            pipe.send("begun")
            continue
        seen.asked += 1
        seen.decode, seen.ready = max(seen.decode, longest[0]), max(seen.ready, longest[1])
        if pipe.poll(PAUSE):
            pipe.send(seen)
            return


def _ask(address: Address, sent: bytes, seen: Seen) -> float:
    """Milliseconds until an answer is there, on a connection of its own: others may have taken all places."""
    begin, received = time.perf_counter(), bytearray()
    try:
        with socket.create_connection(address, PATIENCE) as connection:
            connection.sendall(sent)
            while end_of_answer(received) is None:
                part = connection.recv(65536)
                if not part:
                    raise OSError("closed before the answer")
                received += part
        if not received.startswith(b"HTTP/1.1 200 "):
            seen.faults.append(received.partition(b"\r\n")[0].decode("latin-1"))
    except OSError as error:
        seen.faults.append(str(error))
    return 1000 * (time.perf_counter() - begin)
