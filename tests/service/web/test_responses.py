from __future__ import annotations

import msgspec
import pytest
from fastapi import Request
from starlette.testclient import TestClient

from service.web.request_schemas import SheetQuery
from service.web.responses import caching_headers, json_response, not_modified


@pytest.mark.parametrize(
    "media", ["image/png", "image/webp", "image/gif", "image/apng", "application/x-npy", "application/zip"]
)
def test_answers_are_deterministic_and_bear_a_weak_etag(client: TestClient, media: str):
    first, second = (
        client.post("/decode", json={"attributes": value}, headers={"Accept": media})
        for value in ({"shape": 2, "orientation": 0}, {"orientation": 39, "shape": "heart", "scale": 5})
    )
    assert first.headers["content-type"] == media
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].startswith('W/"')
    other = client.post("/decode", json={"attributes": {"shape": 1}}, headers={"Accept": media})
    assert other.headers["etag"] != first.headers["etag"]


def test_etags_differ_by_model_and_format(client: TestClient):
    tags = [
        client.get(f"/decode?model={model}", headers={"Accept": media}).headers["etag"]
        for model in ("grey", "alpha")
        for media in ("image/png", "image/webp")
    ]
    assert len(set(tags)) == 4


def test_if_none_match_is_answered_with_304(client: TestClient):
    tag = client.get("/decode?shape=heart").headers["etag"]
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        response = client.get("/decode?shape=heart", headers={"If-None-Match": known})
        assert response.status_code == 304
        assert not response.content
        assert response.headers["etag"] == tag
        assert response.headers["vary"] == "Accept"
    assert client.get("/decode?shape=square", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ([], False),
        (['W/"a"'], True),
        (['"a"'], True),
        (["*"], True),
        (['W/"b", W/"a"'], True),
        (['W/"b"', '"a"'], True),
        (['W/"b"'], False),
        (["a"], False),
        ([""], False),
    ],
)
def test_if_none_match_is_compared_weakly(sent: list[str], known: bool):
    """RFC 9110, section 13.1.2; several headers are one list."""
    headers = [(b"if-none-match", value.encode()) for value in sent]
    assert not_modified(Request({"type": "http", "headers": headers}), 'W/"a"') is known


def test_shared_caches_keep_only_what_needs_no_key():
    assert dict(caching_headers(False))[b"cache-control"] == b"public, max-age=300"
    assert dict(caching_headers(True))[b"cache-control"] == b"private, max-age=300"
    assert dict(caching_headers(True))[b"vary"] == b"Accept"


def test_a_schema_is_sent_as_json_with_its_defaults():
    response = json_response(SheetQuery(columns=3))
    assert response.media_type == "application/json"
    assert msgspec.json.decode(response.body) == {"model": None, "columns": 3}
