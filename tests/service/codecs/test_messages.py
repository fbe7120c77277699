from __future__ import annotations

import socket
import threading

import pytest

from service.codecs.messages import MAX_JOINED, receive, send


@pytest.mark.parametrize("parts", [[], [b""], [b"one", b"", b"three"], [b"x" * (MAX_JOINED + 1), b"y"]])
def test_what_is_sent_is_received(parts: list[bytes]):
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb") as stream:
        sending = threading.Thread(target=send, args=(ours, {"a": [1, None, "\u00e9\ud800"]}, parts))
        sending.start()
        content, received = receive(stream)
        sending.join()
    assert content["a"] == [1, None, "\u00e9\ud800"]
    assert received == parts


def test_an_end_is_an_error_wherever_it_comes():
    first, second = socket.socketpair()
    with second, second.makefile("rb") as stream:
        send(first, {}, [b"all of it"])
        first.close()
        whole = stream.read()
    for stop in range(len(whole)):
        ours, theirs = socket.socketpair()
        ours.sendall(whole[:stop])
        ours.close()
        with theirs, theirs.makefile("rb") as stream, pytest.raises(EOFError):
            receive(stream)
