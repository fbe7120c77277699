"""How connections end."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from service.server import closing
from service.server.closing import MAX_DISCARDED_BYTES, RESET, ClosingTransport
from tests.service.server.wire import Wire


@pytest.mark.parametrize("client_sends", [False, True])
def test_every_close_has_a_deadline(client_sends: bool):
    wire: Any = Wire()
    transport = ClosingTransport(wire)
    transport.client_sends = client_sends
    assert not transport.is_closing()
    assert transport.deadline > time.monotonic() + 1e9
    transport.close()
    assert transport.is_closing()
    deadline = transport.deadline
    assert deadline <= time.monotonic() + closing.WRITE_SECONDS
    transport.close()
    assert transport.deadline == deadline, "a second close must not put it off"


def test_a_client_that_has_sent_all_finds_the_connection_closed():
    wire: Any = Wire()
    ClosingTransport(wire).close()
    assert (wire.closed, wire.ended, wire.aborted) == (True, False, False)


def test_what_a_client_still_sends_is_read_until_it_is_too_much():
    wire: Any = Wire()
    transport = ClosingTransport(wire)
    transport.client_sends = True
    transport.pause_reading()
    transport.close()
    assert (wire.closed, wire.ended, wire.paused) == (False, True, False)
    transport.discard(bytes(MAX_DISCARDED_BYTES))
    assert not wire.closed
    transport.discard(b"x")
    assert wire.aborted


def test_a_reset_leaves_nothing_to_the_kernel():
    wire: Any = Wire()
    transport = ClosingTransport(wire)
    transport.reset()
    wire.socket.setsockopt.assert_called_once_with(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert wire.aborted
    assert transport.is_closing()
