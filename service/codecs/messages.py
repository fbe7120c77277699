"""Messages between the service and its decoder processes, over a socket: a JSON object, and bytes behind it.

Nothing that comes from a decoder is unpickled: a decoder that was taken over by a file can't take over the service.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from socket import socket
from typing import IO, Any

# Before a message: how many bytes of JSON it has. Its member ``sizes`` has the bytes of each part behind it.
HEAD = struct.Struct("<I")
# Bytes of parts that are copied to be sent at once, which takes less time than a system call for each part.
MAX_JOINED = 2**20


def send(connection: socket, content: dict[str, Any], parts: Sequence[bytes | memoryview] = ()) -> None:
    """Send an object and its parts; raises OSError if the other side is gone."""
    sizes = [len(part) for part in parts]
    text = json.dumps({**content, "sizes": sizes}).encode()
    pieces = [HEAD.pack(len(text)), text, *parts]
    for piece in [b"".join(pieces)] if sum(sizes) <= MAX_JOINED else pieces:
        connection.sendall(piece)


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """The next object and its parts; raises EOFError if the other side is gone."""
    (size,) = HEAD.unpack(_read(stream, HEAD.size))
    content: dict[str, Any] = json.loads(_read(stream, size))
    return content, [_read(stream, size) for size in content["sizes"]]


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
