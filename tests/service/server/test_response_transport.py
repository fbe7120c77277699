"""How answers leave."""

from __future__ import annotations

from typing import Any

import pytest

from service.server.response_transport import CONTINUE, ResponseTransport
from tests.service.server.wire import Wire

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
CLOSING_HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n"


def test_a_head_goes_with_the_beginning_of_its_body_and_what_follows_at_once():
    wire: Any = Wire()
    answer = ResponseTransport(wire, has_body=True, body_is_due=False)
    for written, sent in (
        (CONTINUE, [CONTINUE]),
        (b"head", [CONTINUE]),
        (b"one", [CONTINUE, b"headone"]),
        (b"two", [CONTINUE, b"headone", b"two"]),
    ):
        answer.write(written)
        assert wire.packets == sent


def test_a_head_that_no_body_follows_is_sent_when_the_connection_closes():
    wire: Any = Wire()
    answer = ResponseTransport(wire, has_body=True, body_is_due=False)
    answer.write(b"head")
    assert wire.packets == []
    assert not answer.is_closing()
    answer.close()
    assert wire.packets == [b"head"]
    assert answer.is_closing()


def test_the_head_of_an_answer_that_has_no_body_goes_at_once():
    wire: Any = Wire()
    ResponseTransport(wire, has_body=False, body_is_due=False).write(HEAD)
    assert wire.packets == [HEAD]


@pytest.mark.parametrize("has_body", [True, False])
@pytest.mark.parametrize("head", [HEAD, CLOSING_HEAD])
def test_an_answer_before_the_request_is_complete_says_once_that_the_connection_is_closed(has_body: bool, head: bytes):
    wire: Any = Wire()
    answer = ResponseTransport(wire, has_body=has_body, body_is_due=True)
    answer.write(head)
    answer.write(b"answer")
    assert b"".join(wire.packets) == CLOSING_HEAD + b"answer"


def test_an_answer_to_a_request_that_has_become_complete_does_not_say_so():
    wire: Any = Wire()
    answer = ResponseTransport(wire, has_body=True, body_is_due=True)
    answer.body_is_due = False
    answer.write(HEAD)
    answer.write(b"answer")
    assert b"".join(wire.packets) == HEAD + b"answer"
