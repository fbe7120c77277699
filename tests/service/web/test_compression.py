from __future__ import annotations

import asyncio
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import ROUTERS
from service.problems import Problem
from service.settings import Settings
from service.web.compression import CODINGS, decompress
from tests.service.openinference.asking import ENCODER, IMAGES, behind, binary, tensor
from tests.service.toys import image

LIMIT = 2**20
PICTURE = image({0: 1})


def members(data: bytes) -> bytes:
    """gzip of several members, one of them empty, with padding behind the last one."""
    return gzip.compress(data[:3]) + gzip.compress(b"") + gzip.compress(data[3:]) + bytes(5)


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def brotli(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("brotli", minversion="1.2").compress(data)
    return compressed


def zstd(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("compression.zstd").compress(data)
    return compressed


Compress = Callable[[bytes], bytes]
FORMS: list[tuple[str, Compress]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    (" GZip ", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli),
    ("zstd", zstd),
]
form = pytest.mark.parametrize(("coding", "compress"), FORMS, ids=lambda value: getattr(value, "__name__", str(value)))


def requests(client: TestClient) -> list[httpx2.Request]:
    """A request to every path that takes a body, and to /encode one of each kind."""
    ends = {"from": {}, "to": {"image": PICTURE}, "steps": 2}
    array = np.random.default_rng(0).integers(0, 256, (8, 128, 128), np.uint8)  # more than one part of a form
    picture = client.get("/decode").content
    tensors = binary({"inputs": [behind("image", IMAGES)]}, IMAGES)
    npy = b"\x93NUMPY\1\0" + (58).to_bytes(2, "little")
    npy += b"{'descr':'|u1','fortran_order':False,'shape':(8,128,128)}".ljust(57) + b"\n" + array.tobytes()
    build = client.build_request
    return [
        build("POST", "/decode", json={"attributes": {"scale": 2}}),
        build("POST", "/edit", json={"image": PICTURE, "set": {"scale": 1}}),
        build("POST", "/interpolate", json=ends),
        build("POST", "/recombine?model=conditional", json={"class": {"image": PICTURE}, "style": {"image": PICTURE}}),
        build("POST", "/encode", json={"images": [PICTURE]}),
        build("POST", "/encode", content=picture, headers={"Content-Type": "image/png"}),
        build("POST", "/encode", content=npy, headers={"Content-Type": "application/x-npy"}),
        build("POST", "/encode", files=[("f", ("a.npy", npy)), ("f", ("b.png", picture, "image/png"))]),
        build("POST", ENCODER, json={"inputs": [tensor("image", IMAGES)]}),
        build("POST", ENCODER, **tensors),
        build("POST", "/v2/repository/index", json={"ready": True}),
    ]


def compressed(client: TestClient, request: httpx2.Request, content: bytes, coding: str) -> httpx2.Response:
    """The response to a request with another content and a Content-Encoding."""
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    return client.post(request.url, content=content, headers=headers | {"Content-Encoding": coding})


@form
def test_every_path_takes_compressed_bodies_and_answers_as_to_any_other(
    client: TestClient, coding: str, compress: Compress
):
    for request in requests(client):
        plain = client.send(request)
        assert plain.status_code == 200, plain.text
        response = compressed(client, request, compress(request.read()), coding)
        assert (response.status_code, response.content) == (200, plain.content), request.url


def test_no_path_is_left_out(client: TestClient):
    posts = {route.path for router in ROUTERS for route in router.routes if "POST" in route.methods}
    same = {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"}
    administered = {"/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"}
    asked = {request.url.path for request in requests(client)} - {ENCODER}
    assert posts == asked | same | administered


@pytest.mark.parametrize("coding", ["compress", "gzip, gzip", "gzip, identity", "gzipped", "br, gzip", "x" * 100])
def test_another_coding_is_a_415_that_lists_what_there_is(client: TestClient, coding: str):
    for request in requests(client):
        response = compressed(client, request, request.read(), coding)
        assert response.status_code == 415
        listed = ", ".join(CODINGS)
        assert response.headers["Accept-Encoding"] == listed
        assert response.json()["accepted"] == [*CODINGS]
        assert response.json()["detail"] == f"the body: Content-Encoding {coding[:80]!r}; accepts {listed}"


def test_several_lines_of_content_encoding_count_as_one(client: TestClient):
    twice = [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    response = client.post("/decode", content=gzip.compress(gzip.compress(b"{}")), headers=twice)
    assert response.status_code == 415


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_bodies_that_are_not_compressed_may_say_so(client: TestClient, coding: str):
    for request in requests(client):
        assert compressed(client, request, request.read(), coding).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body_is_empty_whatever_it_says(client: TestClient, coding: str):
    assert client.post("/v2/repository/index", headers={"Content-Encoding": coding}).status_code == 200
    json_of = {"Content-Type": "application/json", "Content-Encoding": coding}
    assert "malformed JSON" in client.post("/decode", headers=json_of).json()["detail"]
    form_of = {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": coding}
    assert client.post("/encode", headers=form_of).status_code == 422


@form
def test_what_grows_past_the_limit_is_a_413(client: TestClient, settings: Settings, coding: str, compress: Compress):
    limit = settings.max_body_bytes
    for excess, status in ((0, 400), (1, 413), (100 * limit, 413)):
        bomb = compress(b" " * (limit + excess))
        assert len(bomb) < limit
        for media in ("application/json", "image/png", "multipart/form-data; boundary=x"):
            headers = {"Content-Type": media, "Content-Encoding": coding}
            response = client.post("/encode", content=bomb, headers=headers)
            assert response.status_code == status, response.text
            if excess:
                assert response.json()["detail"] == f"a body may have {limit} bytes, decompressed"
                assert response.json()["limit"] == limit


@form
def test_a_bomb_takes_no_more_memory_than_the_limit(coding: str, compress: Compress):
    bomb = compress(bytes(64 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(Problem):
            decompress(bomb, coding.strip().lower().removeprefix("x-"), LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 8 * LIMIT
    finally:
        tracemalloc.stop()


@form
def test_damaged_bodies_are_a_400_that_names_the_coding(client: TestClient, coding: str, compress: Compress):
    document = json.dumps({"attributes": {"scale": 2}, "note": random.Random(1).choices("abc", k=200)}).encode()
    good = compress(document).rstrip(b"\0") if compress is members else compress(document)
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    for bad in (good[:1], good[:20], good[: len(good) // 2], good[:-1], good + b"rubbish", document):
        response = client.post("/decode", content=bad, headers=headers)
        assert response.status_code == 400, bad
        name = coding.strip().lower().removeprefix("x-")
        assert response.json()["detail"].startswith(f"the body: Content-Encoding is {name}, but it can't be read so: ")


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_checksum_that_is_wrong_is_a_400(coding: str, compress: Compress):
    good = compress(b"content")
    at = -8 if coding == "gzip" else -4
    bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    with pytest.raises(Problem, match="it can't be read so") as caught:
        decompress(bad, coding, LIMIT)
    assert caught.value.status_code == 400


def test_bodies_are_decompressed_outside_of_the_event_loop(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    inside = []

    def noting(body: bytes, most: int) -> bytes:
        try:
            inside.append(bool(asyncio.get_running_loop()))
        except RuntimeError:
            inside.append(False)
        return gzip.decompress(body)

    monkeypatch.setitem(CODINGS, "gzip", noting)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post("/decode", content=gzip.compress(b'{"attributes": {}}'), headers=headers).status_code == 200
    assert inside == [False]
