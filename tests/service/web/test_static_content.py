from __future__ import annotations

import asyncio
import gzip

import pytest
from fastapi import Request

from service.web.bytes_response import BytesResponse
from service.web.static_content import MadeOnce, StaticContent

TEXT = b"many words, many words, many words, many words"


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": named})


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("deflate", False),
        ("", False),
    ],
)
def test_it_is_compressed_for_clients_that_take_that(accepted: str, compressed: bool):
    response = StaticContent(TEXT, "text/css").response(request(accept_encoding=accepted))
    assert (response.headers.get("content-encoding") == "gzip") is compressed
    assert (gzip.decompress(response.body) if compressed else response.body) == TEXT
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"] == "text/css"
    assert int(response.headers["content-length"]) == len(response.body)


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_client_that_has_it_is_told_so(accepted: str):
    content = StaticContent(TEXT, "text/css")
    tag = content.response(request(accept_encoding=accepted)).headers["etag"]
    known = content.response(request(accept_encoding=accepted, if_none_match=f'"other", {tag}'))
    assert (known.status_code, known.body, known.headers["etag"]) == (304, b"", tag)
    assert content.response(request(accept_encoding=accepted, if_none_match='"other"')).status_code == 200


def test_all_clients_share_the_same_bytes():
    content = StaticContent(TEXT, "text/css")
    for accepted in ("gzip", "identity"):
        first, second = (content.response(request(accept_encoding=accepted)) for _ in range(2))
        assert isinstance(first, BytesResponse)
        assert first.body is second.body


def test_what_many_ask_for_at_once_is_made_once():
    made: list[str] = []

    async def make(prefix: str) -> StaticContent:
        made.append(prefix)
        await asyncio.sleep(0)
        return StaticContent(prefix.encode(), "text/plain")

    async def ask() -> list[StaticContent]:
        content = MadeOnce(make)
        return await asyncio.gather(*(content.get(prefix) for prefix in ("", "/a", "", "/a", "")))

    found = asyncio.run(ask())
    assert made == ["", "/a"]
    assert found[0] is found[2] is found[4]
