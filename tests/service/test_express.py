"""The express lane says what the routes say: to the same bodies the same verdict, values and bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.toys import wait_until_ready

JSON, PNG = {"Content-Type": "application/json"}, {"Content-Type": "image/png"}
NUMBERS = st.one_of(st.floats(-50, 50), st.integers(-3, 50), st.integers(), st.floats(), st.just(-0.0))
VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(["heart", "square", "ellipse", "", "1"]),
    st.lists(st.floats(-0.1, 3), min_size=2, max_size=41),
    st.none(),
    st.booleans(),
    st.just({"value": "heart"}),
)
NAMES = st.sampled_from(["shape", "scale", "orientation", "pos_x", "pos_y", "colour", "", "attributes", "sc\u0061le"])
BODIES = st.one_of(
    st.fixed_dictionaries({"attributes": st.dictionaries(NAMES, VALUES, max_size=5)}),
    st.fixed_dictionaries({"z": st.lists(NUMBERS, min_size=80, max_size=82)}),
    st.fixed_dictionaries({}, optional={"attributes": st.just({}), "z": st.just([0.0] * 81), "more": VALUES}),
    VALUES,
)


@pytest.fixture(scope="module")
def client(bundles: Path) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu", cache_bytes=0)
    with TestClient(create_app(settings)) as client:
        yield wait_until_ready(client)


def both(client: TestClient, path: str, content: bytes, headers: dict[str, str]) -> tuple[Any, Any]:
    """What the express lane and the route say; a parameter that names the model sends a request to the route."""
    express = client.post(path, content=content, headers=headers)
    route = client.post(f"{path}?model=grey", content=content, headers=headers)
    return express, route


def check(client: TestClient, path: str, content: bytes, headers: dict[str, str]) -> int:
    express, route = both(client, path, content, headers)
    assert express.status_code == route.status_code
    assert express.content == route.content
    for name in ("Content-Type", "ETag", "X-Mixing", "X-Model-Digest"):
        assert express.headers.get(name) == route.headers.get(name), name
    assert route.status_code < 500
    status: int = route.status_code
    return status


few = limits(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(BODIES)
@example({"attributes": {"shape": "heart", "scale": 2.5}})
@example({"attributes": {"shape": [0, 0.5, 0.5]}})
@example({"attributes": {"scale": 10**400}})
@example({"attributes": {"a:b": 1}})
def test_every_value_is_resolved_alike(client: TestClient, body: Any):
    check(client, "/decode", json.dumps(body).encode(), JSON)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"attributes": {"scale": 1, "scale": 2}}', 400),
        (b'{"attributes": {"scale": 1, "sc\\u0061le": 2}}', 400),
        (b'{"attributes": {}, "attributes": {"scale": 2}}', 400),
        (b'{"attributes": {"scale": NaN}}', 400),
        (b'{"attributes": {"scale": 1e999}}', 422),
        (b'{"attributes": {"scale": 01}}', 400),
        (b'{"attributes": {"scale": 1.}}', 400),
        (b'{"attributes": {"scale": .5}}', 400),
        (b'{"attributes": {"scale": 1},}', 400),
        (b'{"attributes": {"shape": "he\\ud800"}}', 422),
        (b'{"attributes": {"shape": "he\nart"}}', 400),
        (b'{"attributes": {"shape": "\xff"}}', 400),
        (b'\xef\xbb\xbf{"attributes": {}}', 400),
        (b' \n\t{"attributes": {}} \r\n', 200),
        (b'{"attributes": {}} {}', 400),
        (b'{"attributes": null}', 422),
        (b'{"z": null, "attributes": {}}', 422),
        (b"{}", 422),
        (b"", 400),
        (b"[" * 10_000, 400),
    ],
)
def test_json_is_as_strict(client: TestClient, body: bytes, status: int):
    assert check(client, "/decode", body, JSON) == status


@few
@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_damaged_json_is_judged_alike(client: TestClient, junk: bytes, start: int, length: int):
    body = b'{"attributes": {"shape": "heart", "scale": 2.5, "orientation": 12}}'
    check(client, "/decode", body[:start] + junk + body[start + length :], JSON)


def png(height: int, width: int, mode: str, level: int) -> bytes:
    shape = (height, width) if mode in "L1" else (height, width, len(mode))
    pixels = np.random.default_rng(level).integers(256, size=shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, "L" if mode == "1" else mode).convert(mode).save(file, "PNG", compress_level=level)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA"])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (31, 32), (64, 64)])
@pytest.mark.parametrize("level", [0, 6])
def test_every_image_is_read_alike(client: TestClient, height: int, width: int, mode: str, level: int):
    assert check(client, "/encode", png(height, width, mode, level), PNG) == 200


@few
@given(st.integers(0, 3000), st.integers(0, 255), st.booleans())
def test_damaged_images_are_judged_alike(client: TestClient, place: int, value: int, cut: bool):
    whole = png(32, 32, "L", 6)
    place %= len(whole)
    damaged = whole[:place] if cut else whole[:place] + bytes([value]) + whole[place + 1 :]
    check(client, "/encode", damaged, PNG)


@pytest.mark.parametrize("accept", ["*/*", "image/png", "image/webp", "application/json", "text/html", ""])
def test_the_format_is_negotiated_alike(client: TestClient, accept: str):
    express, route = both(client, "/decode", b'{"attributes": {}}', {**JSON, "Accept": accept})
    assert (express.status_code, express.headers["Content-Type"]) == (route.status_code, route.headers["Content-Type"])


def test_the_commonest_requests_do_not_reach_the_routes(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def never(*args: object) -> None:
        raise AssertionError("reached the route")

    monkeypatch.setattr("service.routes.decode.select", never)
    monkeypatch.setattr("service.routes.encode.select", never)
    for body in ({"attributes": {"shape": "heart", "orientation": 2.5}}, {"z": [0.5] * 81}):
        image = client.post("/decode", json=body)
        assert image.status_code == 200
    assert client.post("/encode", content=image.content, headers=PNG).status_code == 200
    with pytest.raises(AssertionError, match="reached the route"):
        client.post("/decode?model=grey", json=body)
