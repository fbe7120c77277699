"""Frames as server-sent events, drawn a few at a time and no longer than somebody listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic_core import to_json

from service.codecs.encode import Frames, base64_png
from service.inference.engine import Engine
from service.latent.points import Points
from service.problems import NOT_RUN, Problem, document, not_run

EVENTS = "text/event-stream"
AT_ONCE = 16
"""Frames of one batch: what is drawn in vain when the client leaves."""


async def stream(engine: Engine, points: Points) -> EventSourceResponse:
    """An event ``frame`` for each point, as it is drawn, then ``done``; what fails on the way is an event ``error``.

    Raises what ``Engine.draw`` does for the first of them.
    """
    first = await _draw(engine, points, 0)
    return EventSourceResponse(_events(engine, points, first))


async def _events(engine: Engine, points: Points, images: list[str]) -> AsyncIterator[bytes]:
    count = len(points.z)
    for start in range(0, count, AT_ONCE):
        if start:
            try:
                images = await _draw(engine, points, start)
            except (Problem, *NOT_RUN) as error:
                yield _event("error", document(error if isinstance(error, Problem) else not_run(error)))
                return
        for index, image in enumerate(images, start):
            values = points.attributes[index] if points.attributes else None
            yield _event("frame", {"index": index, "image": image, "attributes": values})
    yield _event("done", {"model": engine.model.name, "digest": engine.model.digest, "frames": count})


async def _draw(engine: Engine, points: Points, start: int) -> list[str]:
    def encode(frames: Frames) -> list[str]:
        return [base64_png(frame) for frame in frames]

    return await engine.draw(points.z[start : start + AT_ONCE], encode)


def _event(name: str, content: dict[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=to_json(content).decode())
