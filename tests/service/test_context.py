from __future__ import annotations

import asyncio
import re
import time

import pytest

from service.context import UNKNOWN_ROUTE, RequestContext, current_request, request_id, timed_phase


async def receive() -> dict[str, object]:
    raise AssertionError("reads nothing")


def test_a_new_request_knows_nothing_yet():
    context = RequestContext("a", receive)
    assert (context.route, context.reservation, context.admin, context.phases) == (UNKNOWN_ROUTE, None, False, {})
    assert context.remaining == float("inf")


def test_a_deadline_that_has_passed_leaves_no_time():
    context = RequestContext("a", receive)
    context.deadline = context.start + 1000
    assert 0 < context.remaining <= 1000
    context.deadline = context.start - 1
    assert context.remaining == 0


def test_headers_tell_id_times_in_milliseconds_and_model():
    context = RequestContext("mine", receive, model_headers=((b"x-model-digest", b"d"),))
    context.add_timing("queue", 0.001)
    context.add_timing("inference", 0.002)
    context.add_timing("queue", 0.0005)
    names = [name for name, _ in context.headers()]
    found = dict(context.headers())
    assert names == [b"x-request-id", b"server-timing", b"x-model-digest"]
    assert found[b"x-request-id"] == b"mine"
    assert re.fullmatch(rb"queue;dur=1\.50, inference;dur=2\.00, total;dur=\d+\.\d\d", found[b"server-timing"])


def test_time_is_added_to_the_request_in_hand_though_the_work_fails():
    def work() -> None:
        with timed_phase("reading"):
            time.sleep(0.01)
            raise KeyError

    async def answer(name: str) -> RequestContext:
        context = RequestContext(name, receive)
        current_request.set(context)
        await asyncio.sleep(0)  # so that both requests are in hand
        if name == "slow":
            with pytest.raises(KeyError):
                work()
        return context

    async def main() -> list[RequestContext]:
        return await asyncio.gather(*(asyncio.create_task(answer(name)) for name in ("slow", "other")))

    slow, other = asyncio.run(main())
    assert slow.phases["reading"] >= 0.01
    assert other.phases == {}


@pytest.mark.parametrize("sent", [b"abc-123", b"a" * 128, b"00-4bf9:/+=._-"])
def test_the_id_of_a_client_is_kept(sent: bytes):
    assert request_id(sent) == sent.decode()


@pytest.mark.parametrize("sent", [b"", b"a b", b"a" * 129, b'a"b', b"a\r\nb", b"a\n", b"\xc3\xa9"])
def test_another_id_is_made_in_place_of_one_that_is_not_safe(sent: bytes):
    assert re.fullmatch("[0-9a-f]{32}", request_id(sent))
    assert request_id(sent) != request_id(sent)
