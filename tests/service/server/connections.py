"""What tests of connections send, and what they read."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path

import httpx2

from tests.service.processes import Running

ASK = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answers(connection: socket.socket, number: int) -> bytes:
    """What comes until there are so many answers, each with a JSON object as its body."""
    connection.settimeout(60)
    received = b""
    while received.count(b"HTTP/1.1 ") < number or not received.endswith(b"}"):
        part = connection.recv(65536)
        assert part, received
        received += part
    return received


def closed_after(connection: socket.socket) -> float:
    """Seconds until the server closes a connection; what it sends is dropped."""
    begin = time.monotonic()
    connection.settimeout(60)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - begin


def sends_until_cut_off(connection: socket.socket, parts: Iterable[bytes]) -> float:
    """Seconds until nothing can be sent any more."""
    begin = time.monotonic()
    connection.settimeout(0.2)
    for part in parts:
        try:
            connection.sendall(part)
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - begin
    raise AssertionError("it was not cut off")


def answer_to(service: Running, sent: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Head and body of what a server says to raw bytes before it closes the connection."""
    with socket.create_connection(service.address) as connection:
        connection.settimeout(60)
        try:
            for part in sent:
                connection.sendall(part)
        except OSError:
            pass  # it has said enough
        said = b""
        try:
            while part := connection.recv(65536):
                said += part
        except ConnectionResetError:
            pass
    head, _, body = said.partition(b"\r\n\r\n")
    return head, body


def ready(path: Path) -> bool:
    """Whether a service answers on a Unix socket that it is ready."""
    try:
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(path)), base_url="http://any.example") as client:
            return client.get("/health/ready").status_code == 200 and client.get("/decode").status_code == 200
    except httpx2.TransportError:
        return False
