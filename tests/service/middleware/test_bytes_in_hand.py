from __future__ import annotations

import asyncio

import pytest

from service.middleware import bytes_in_hand
from service.middleware.bytes_in_hand import TRIM_BYTES, BytesInHand
from service.problems import Problem


def refused(in_hand: BytesInHand, address: str, size: int) -> int:
    """The status of a refusal, which changes nothing."""
    before = in_hand.total
    with pytest.raises(Problem) as caught:
        in_hand.take(address, size)
    assert in_hand.total == before
    return caught.value.status_code


def test_all_clients_together_hold_at_most_the_limit():
    in_hand = BytesInHand(100)
    for address in ("a", "b", "c"):
        in_hand.take(address, 30)
    assert refused(in_hand, "d", 11) == 503
    in_hand.release("b", 25)
    in_hand.take("d", 11)
    assert in_hand.total == 76


def test_one_address_holds_at_most_half():
    in_hand = BytesInHand(100)
    in_hand.take("a", 50)
    assert refused(in_hand, "a", 1) == 503
    in_hand.take("b", 50)
    in_hand.release("a", 50)
    in_hand.take("a", 50)


def test_what_never_has_room_is_a_413():
    assert refused(BytesInHand(100), "a", 51) == 413


def test_a_refusal_says_when_to_come_again():
    in_hand = BytesInHand(100)
    in_hand.take("a", 50)
    with pytest.raises(Problem, match="bodies and answers of 100 bytes, or 50 of one address") as caught:
        in_hand.take("a", 1)
    assert int((caught.value.headers or {})["Retry-After"]) >= 1


def test_memory_is_given_back_once_much_less_is_in_hand(monkeypatch: pytest.MonkeyPatch):
    given_back: list[bool] = []
    monkeypatch.setattr(bytes_in_hand, "TRIM_SECONDS", 0)
    monkeypatch.setattr(bytes_in_hand, "give_memory_back", lambda: given_back.append(True))

    async def take_and_release(size: int) -> None:
        in_hand = BytesInHand(4 * TRIM_BYTES)
        for _ in range(4):
            in_hand.take("a", size // 4)
        for _ in range(4):
            in_hand.release("a", size // 4)
        await asyncio.sleep(0.01)  # timers that are due have run
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(take_and_release(TRIM_BYTES - 4))
    assert given_back == []
    asyncio.run(take_and_release(TRIM_BYTES))
    assert given_back == [True]


def test_giving_memory_back_is_possible_anywhere():
    bytes_in_hand.give_memory_back()


def test_addresses_that_hold_nothing_are_forgotten():
    in_hand = BytesInHand(100)
    for index in range(1000):
        in_hand.take(str(index), 3)
        in_hand.release(str(index), 3)
    assert not in_hand._by_address
