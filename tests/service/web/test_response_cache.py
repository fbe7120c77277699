from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from attributes import Float32
from service.app import create_app
from service.inference.model import Model
from service.observability.metrics import REGISTRY
from service.settings import Settings
from service.web.bytes_response import BytesResponse
from service.web.response_cache import OVERHEAD, ResponseCache
from tests.service.toys import wait_until_ready


@pytest.fixture
def client(bundles: Path) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu", batches=1)
    with TestClient(create_app(settings)) as client:
        yield wait_until_ready(client)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were drawn at once, each time."""
    sizes: list[int] = []
    decode = Model.decode

    def noted(model: Model, z: Float32) -> Float32:
        sizes.append(len(z))
        return decode(model, z)

    monkeypatch.setattr(Model, "decode", noted)
    return sizes


def hits() -> float:
    return REGISTRY.get_sample_value("spritevae_cache_lookups_total", {"result": "hit"}) or 0.0


def test_the_same_answer_is_made_once_however_it_is_asked_for(client: TestClient, drawn: list[int]):
    before = hits()
    asked = [
        client.post("/decode", json={"attributes": {"shape": "heart", "scale": 2}}),
        client.post("/decode", json={"attributes": {"scale": 2.0, "shape": "heart"}}),
        client.post("/decode?model=grey", json={"attributes": {"shape": {"value": "heart"}, "scale": 2}}),
        client.get("/decode?scale=2&shape=heart"),
    ]
    assert drawn == [1]
    assert hits() == before + 3
    assert len({answer.content for answer in asked}) == len({answer.headers["ETag"] for answer in asked}) == 1
    assert {answer.headers["Content-Type"] for answer in asked} == {"image/png"}
    assert all("X-Model-Digest" in answer.headers for answer in asked)
    assert asked[3].headers["Cache-Control"]
    assert "Cache-Control" not in asked[0].headers


def test_other_values_formats_and_layouts_are_other_answers(client: TestClient, drawn: list[int]):
    several = {"attributes": [{"scale": 1}, {"scale": 2}]}
    for body, query, accept in (
        ({"attributes": {"scale": 1}}, "", "image/png"),
        ({"attributes": {"scale": 1.5}}, "", "image/png"),
        ({"attributes": {"scale": 1}}, "", "image/webp"),
        (several, "", "image/png"),
        (several, "?columns=1", "image/png"),
    ):
        assert client.post(f"/decode{query}", json=body, headers={"Accept": accept}).status_code == 200
    assert drawn == [1, 1, 1, 2, 2]
    sheet = client.post("/decode?columns=1", json=several)
    assert sheet.headers["X-Sheet-Columns"] == "1"
    assert len(drawn) == 5


def answer(size: int) -> BytesResponse:
    return BytesResponse(b"x" * (size - OVERHEAD), "image/png")


def test_it_keeps_so_many_bytes_and_drops_what_was_not_used_for_longest():
    cache = ResponseCache(3000)
    for tag in "abc":
        cache.put(tag, answer(1000))
    assert cache.get("a") is not None
    cache.put("d", answer(1000))
    assert [tag for tag in "abcd" if cache.get(tag)] == ["a", "c", "d"]
    cache.put("large", answer(3001))
    assert cache.get("large") is None
    assert cache.get("a") is not None


def test_a_size_of_0_keeps_nothing():
    cache = ResponseCache(0)
    cache.put("a", answer(OVERHEAD))
    assert cache.get("a") is None


def test_an_entry_takes_as_much_memory_as_is_counted():
    cache, entries = ResponseCache(2**30), 3000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for index in range(entries):
        tag = f'W/"{index:032x}"'
        cache.put(tag, BytesResponse(random.randbytes(500), "image/png", (b"etag", tag.encode())))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.8 < (after - before) / (entries * (500 + OVERHEAD)) < 1
