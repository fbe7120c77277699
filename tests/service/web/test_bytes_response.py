from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Message

from service.web.bytes_response import BytesResponse


def sent(response: Response) -> list[Message]:
    """The messages that a response sends; what gets them adds a header, as CORS does."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"added", b"by whoever sends it"))
        messages.append(message)

    async def receive() -> Message:
        raise AssertionError("reads nothing")

    asyncio.run(response({"type": "http"}, receive, send))
    return messages


def test_it_sends_what_the_response_of_starlette_sends():
    ours = BytesResponse(b"content", "image/png", (b"etag", b'W/"a"'))
    theirs = Response(b"content", 200, {"ETag": 'W/"a"'}, "image/png")
    (ours_start, ours_body), (theirs_start, theirs_body) = sent(ours), sent(theirs)
    assert sorted(ours_start.pop("headers")) == sorted(theirs_start.pop("headers"))
    assert (ours_start, ours_body) == (theirs_start, theirs_body)


def test_it_can_be_sent_many_times_and_is_the_same_each_time():
    response = BytesResponse(b"content", "image/png")
    assert sent(response) == sent(response)


def test_further_headers_come_after_its_own_and_change_no_other_response():
    first = BytesResponse(b"content", "image/png", (b"etag", b"1"))
    second = first.with_headers((b"vary", b"Accept"))
    assert first.raw_headers == [(b"content-type", b"image/png"), (b"content-length", b"7"), (b"etag", b"1")]
    assert second.raw_headers == [*first.raw_headers, (b"vary", b"Accept")]
    assert (second.body, second.status_code) == (b"content", 200)


def test_its_headers_are_read_as_those_of_any_response():
    response = BytesResponse(b"", "application/json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Length"] == "0"
