"""What the fuzzer of HTTP says, and how it reads answers."""

from __future__ import annotations

import pytest

from tests.soak.answers import Answers, Given
from tests.soak.grammar import FAULTS, conversation

ANSWER = b"HTTP/1.1 %d X\r\nx-request-id: %s\r\nContent-Length: 3\r\n\r\n"
REFUSAL = b"HTTP/1.1 400 X\r\ncontent-length: 3\r\nConnection: close\r\n\r\nbad"


def test_a_conversation_is_the_same_for_a_seed_and_another_for_another():
    assert conversation(7, 3) == conversation(7, 3)
    assert conversation(7, 3) != conversation(8, 3)


def test_everything_is_said_sooner_or_later():
    said = [conversation(0, number) for number in range(300)]
    assert {kind for each in said for kind in each.kinds} == {name for name, _ in FAULTS}
    assert {each.end for each in said} == {"wait", "half close", "leave", "reset"}
    assert {each.reads for each in said} == {"at once", "slowly", "never"}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_answers_are_told_apart_however_they_come(size: int):
    sent = (
        b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER % (200, b"a") + b"one" + ANSWER % (404, b"b") + ANSWER % (200, b"c")
    ) + b"two"
    answers = Answers(["POST", "HEAD", "GET"])
    for start in range(0, len(sent), size):
        answers.add(sent[start : start + size])
    assert answers.given == [Given(200, b"a", False), Given(404, b"b", False), Given(200, b"c", False)]
    assert answers.complete


def test_a_refusal_has_a_body_whatever_was_asked():
    answers = Answers(["HEAD"])
    answers.add(REFUSAL)
    assert answers.given == [Given(400, b"", True)]
    assert answers.complete


def test_what_is_no_answer_is_a_fault():
    with pytest.raises(ValueError, match="no answer"):
        Answers(["GET"]).add(b"nonsense")
