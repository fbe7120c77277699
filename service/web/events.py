"""Frames as server-sent events, drawn a few at a time and only as long as the client listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi.sse import EventSourceResponse, format_sse_event

from service.batching.problems import NOT_RUN, not_run
from service.codecs.encode import Frames, base64_png
from service.inference.engine import Engine
from service.latent.points import LatentPoints
from service.problems import Problem, document

EVENTS = "text/event-stream"
# Each frame is to be seen when it is drawn: no proxy may keep events until there are more (nginx reads the second one).
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Frames of one batch. So many are drawn for nothing when the client leaves.
FRAMES_AT_ONCE = 16


async def event_response(engine: Engine, points: LatentPoints) -> EventSourceResponse:
    """An event ``frame`` for each point as soon as it is drawn, then ``done``; an error in between is ``error``.

    Raises what ``Engine.draw`` raises for the first frames.
    """
    first = await _draw(engine, points, 0)
    return EventSourceResponse(_events(engine, points, first), headers=UNBUFFERED)


async def _events(engine: Engine, points: LatentPoints, images: list[str]) -> AsyncIterator[bytes]:
    count = len(points.z)
    for start in range(0, count, FRAMES_AT_ONCE):
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


async def _draw(engine: Engine, points: LatentPoints, start: int) -> list[str]:
    """The frames from ``start`` on, each as base64 of a PNG."""

    def encode(frames: Frames) -> list[str]:
        return [base64_png(frame) for frame in frames]

    return await engine.draw(points.z[start : start + FRAMES_AT_ONCE], encode)


def _event(name: str, content: dict[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=msgspec.json.encode(content).decode())
