from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from attributes import Float32
from service.app import create_app
from service.inference.model import Model
from service.settings import Settings
from service.web.events import FRAMES_AT_ONCE
from tests.service.toys import wait_until_ready

EVENTS, JSON = {"Accept": "text/event-stream"}, {"Accept": "application/json"}
ENDS = {"from": {"shape": "square", "scale": 0}, "to": {"shape": "heart", "scale": 5}}


def events(text: str) -> list[tuple[str, Any]]:
    """Names and contents of server-sent events."""
    found = []
    for block in text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_events_are_the_frames_and_then_done(client: TestClient):
    body = ENDS | {"steps": 40}
    answer = client.post("/interpolate", json=body, headers=EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *frames, (last, done) = events(answer.text)
    listed = client.post("/interpolate", json=body, headers=JSON).json()
    assert [name for name, _ in frames] == ["frame"] * 40
    assert [content for _, content in frames] == [{"index": i} | frame for i, frame in enumerate(listed["frames"])]
    assert (last, done) == ("done", {"model": "grey", "digest": listed["digest"], "frames": 40})


def test_events_are_kept_by_no_proxy_on_their_way(client: TestClient):
    headers = client.post("/interpolate", json=ENDS, headers=EVENTS).headers
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")


def test_what_fails_before_the_first_event_is_an_error_like_any_other(client: TestClient):
    answer = client.post("/interpolate", json=ENDS | {"steps": 1}, headers=EVENTS)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def two_threads(bundles: Path) -> Iterator[TestClient]:
    """A client of a service that runs batches in threads of their own, never in the event loop."""
    settings = Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu", batches=2, cache_bytes=0)
    with TestClient(create_app(settings)) as client:
        yield wait_until_ready(client)


def test_no_batch_is_drawn_after_the_one_in_hand_when_the_client_leaves(
    two_threads: TestClient, monkeypatch: pytest.MonkeyPatch
):
    drawn, left, ended = [], asyncio.Event(), threading.Event()
    decode = Model.decode

    def waiting(model: Model, z: Float32) -> Float32:
        drawn.append(len(z))
        if left.is_set():
            assert ended.wait(60)
        return decode(model, z)

    monkeypatch.setattr(Model, "decode", waiting)
    sent: list[Message] = [{"type": "http.request", "body": json.dumps(ENDS | {"steps": 64}).encode()}]

    async def receive() -> Message:
        if sent:
            return sent.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            left.set()

    headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "method": "POST", "path": "/interpolate"}
    scope |= {"query_string": b"", "headers": headers, "root_path": ""}
    try:
        asyncio.run(asyncio.wait_for(two_threads.app(scope, receive, send), 60))
    finally:
        ended.set()
    assert FRAMES_AT_ONCE <= sum(drawn) <= 2 * FRAMES_AT_ONCE


def broken_after(frames: int, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the decoder give ``value`` once it has drawn so many frames."""
    decode, drawn, lock = Model.decode, 0, threading.Lock()

    def broken(model: Model, z: Float32) -> Float32:
        nonlocal drawn
        with lock:  # idle threads share a batch
            drawn += len(z)
            good = drawn <= frames
        images = decode(model, z)
        return images if good else np.full_like(images, value)

    monkeypatch.setattr(Model, "decode", broken)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_frames_that_are_not_finite_end_the_events_with_an_error(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, value: float
):
    broken_after(FRAMES_AT_ONCE, value, monkeypatch)
    answer = client.post("/interpolate", json=ENDS | {"steps": 3 * FRAMES_AT_ONCE}, headers=EVENTS)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    *frames, (last, problem) = events(answer.text)
    assert [name for name, _ in frames] == ["frame"] * FRAMES_AT_ONCE
    assert [content["index"] for _, content in frames] == list(range(FRAMES_AT_ONCE))
    assert (last, problem) == (
        "error",
        {
            "type": "about:blank",
            "title": HTTPStatus(422).phrase,
            "status": 422,
            "detail": "z: the decoder gives no finite image there",
            "where": "z",
        },
    )


def test_first_frames_that_are_not_finite_are_a_422(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    broken_after(0, np.nan, monkeypatch)
    answer = client.post("/interpolate", json=ENDS, headers=EVENTS)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
