"""When reading is paused."""

from __future__ import annotations

import asyncio
from typing import Any

from service.server.flow_control import RequestFlowControl
from tests.service.server.wire import Wire


def paused_after(*steps: str) -> list[bool]:
    """Whether reading is paused after each step."""

    async def main() -> list[bool]:
        wire: Any = Wire()
        flow, seen = RequestFlowControl(wire), []
        for step in steps:
            getattr(flow, step)()
            seen.append(wire.paused)
        return seen

    return asyncio.run(main())


def test_nothing_is_read_while_requests_wait_whatever_an_application_receives():
    assert paused_after("hold", "resume_reading", "pause_reading", "resume_reading", "release") == [True] * 4 + [False]


def test_nothing_is_read_while_much_of_a_body_waits_whatever_is_parsed():
    assert paused_after("pause_reading", "hold", "release", "resume_reading") == [True, True, True, False]
