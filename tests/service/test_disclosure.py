"""What no answer tells, and what no request makes the service fetch or open."""

from __future__ import annotations

import base64
import platform
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from export.bundle import DECODER
from service.app import create_app
from service.settings import Settings
from tests.export.conftest import replace_sealed
from tests.service.toys import toy_bundle, wait_until_ready
from tests.support import ROOT

KEY = "keeper-0123456789abcdef"
SECRETS = re.compile(
    "|".join(
        [
            re.escape(str(ROOT)),
            re.escape(sys.prefix),
            "site-packages",
            "onnxruntime_src",
            "Traceback",
            r"\.py\b",
            r"0x[0-9a-f]{6}",
            r"(?i:python)[/ ]?\d",
            re.escape(platform.python_version()),
            "(?i:uvicorn|starlette|fastapi)",
        ]
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("disclosure")


@pytest.fixture(scope="module")
def keeper(folder: Path) -> Iterator[TestClient]:
    """A client that may load models, of a service of one."""
    bundle = str(toy_bundle(folder / "toy", kind="conditional"))
    settings = Settings(_env_file=None, model=(bundle,), device="cpu", admin=True, api_keys=f"{KEY}:admin")
    with TestClient(create_app(settings), headers={"X-API-Key": KEY}, raise_server_exceptions=False) as client:
        yield wait_until_ready(client)


def check_discreet(answer: Any, folder: Path) -> None:
    """Nothing of where the service lies or what it is made of is in an answer."""
    told = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    assert str(folder) not in told
    assert not SECRETS.search(told), SECRETS.search(told)
    assert "server" not in answer.headers


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b"[]"),
    ("application/json", b'{"attributes": {"nope": 1}, "images": [1]}'),
    (
        "application/json",
        b'{"images": [""], "image": "!", "class": {"image": "AAAA"}, "style": {}, "from": {}, "to": 1}',
    ),
    ("application/json", b'{"inputs": [{"name": "image", "shape": [1], "datatype": "FP32", "data": [1]}]}'),
    ("application/json", b"[" * 100_000),
    ("application/octet-stream", b"\xff" * 100),
    ("image/png", b"\x89PNG\r\n\x1a\n" + b"x" * 100),
    ("image/jpeg", b"\xff\xd8\xff" + b"x" * 100),
    ("image/gif", b"GIF89a" + b"x" * 100),
    ("image/webp", b"RIFFxxxxWEBP" + b"x" * 100),
    ("application/x-npy", b"\x93NUMPY\x01\x00v\x00" + b"{" * 118),
    ("application/x-npy", b"\x93NUMPY\x09\x00v\x00" + b"x" * 118),
    ("multipart/form-data; boundary=x", b"--x\r\ncontent-disposition: form-data\r\n\r\nx"),
    ("text/html", b"<html>"),
]


@pytest.mark.parametrize(("media", "body"), BODIES, ids=lambda part: str(part)[:30])
def test_no_answer_of_any_route_tells_where_it_runs(keeper: TestClient, folder: Path, media: str, body: bytes):
    for path, methods in keeper.get("/openapi.json").json()["paths"].items():
        if path.endswith("/unload"):
            continue
        for method in methods:
            for name in ("toy", "toy.encoder", "nothing", "%2e%2e%2fetc"):
                address = path.replace("{model}", name).replace("{version}", "1")
                answer = keeper.request(method, address, content=body, headers={"Content-Type": media})
                assert answer.status_code < 500
                check_discreet(answer, folder)


def test_no_bug_tells_where_it_is(keeper: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object, **named: object) -> None:
        raise RuntimeError(f"no file {__file__}")

    for place in (
        "service.routes.models.describe",
        "service.latent.points.is_rounded",
        "service.openinference.infer.split_binary",
    ):
        monkeypatch.setattr(place, fail)
    for answer in (
        keeper.get("/models"),
        keeper.get("/decode"),
        keeper.post("/decode", json={"attributes": {}}),
        keeper.post("/decode", content=b'{"attributes": {}}', headers={"Content-Type": "application/json"}),
        keeper.post("/v2/models/toy/infer", content=b"{}"),
    ):
        assert answer.status_code == 500
        check_discreet(answer, folder)


def changed_graph(content: bytes, **change: Any) -> bytes:
    """A decoder that can't be loaded."""
    graph = onnx.load_model_from_string(content)
    if "location" in change:
        tensor = graph.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", change["location"]
    elif "operator" in change:
        graph.graph.node[0].op_type = change["operator"]
    elif "opset" in change:
        graph.opset_import[0].version = change["opset"]
    else:
        graph.ir_version = change["format"]
    return graph.SerializeToString()


@pytest.mark.parametrize(
    "change",
    [
        {"location": "weights.bin"},
        {"location": "../weights.bin"},
        {"location": "/etc/passwd"},
        {"operator": "Nope"},
        {"opset": 999},
        {"format": 999},
    ],
    ids=str,
)
def test_no_refused_graph_tells_where_it_lies(keeper: TestClient, folder: Path, change: dict[str, Any]):
    bundle, kept = folder / "toy", folder / "kept"
    shutil.copytree(bundle, kept)
    try:
        replace_sealed(bundle, DECODER, partial(changed_graph, **change))
        answer = keeper.post("/v2/repository/models/toy/load")
    finally:
        shutil.rmtree(bundle)
        kept.rename(bundle)
    assert answer.status_code == 409
    assert "toy can't be loaded: decoder.onnx: " in answer.json()["detail"]
    check_discreet(answer, folder)
    assert str(Path.cwd()) not in answer.text


@pytest.fixture(scope="module")
def picture(folder: Path) -> Path:
    """A file that would be a good image, if it were opened."""
    file = folder / "picture"
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(file, "PNG")
    return file


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def targets(picture: Path, listening: socket.socket) -> list[str]:
    """Ways to name what isn't in the request: here and elsewhere."""
    host = "{}:{}".format(*listening.getsockname())
    return [
        *(f"{scheme}://{host}/a.png" for scheme in ("http", "https", "ftp", "HTTP", "gopher")),
        f"//{host}/a.png",
        str(picture),
        f"file://{picture}",
        f"../{picture.name}",
        "file:///etc/passwd",
        "/etc/passwd",
        "//etc//hosts",  # which is base64, too
        "data:image/png;base64," + base64.b64encode(f"http://{host}/a.png".encode()).decode(),
    ]


def test_an_image_that_is_named_is_not_fetched(keeper: TestClient, picture: Path, listening: socket.socket):
    good = base64.b64encode(picture.read_bytes()).decode()
    assert keeper.post("/encode", json={"images": [good]}).status_code == 200
    for target in targets(picture, listening):
        bodies: list[tuple[str, dict[str, Any]]] = [
            ("/encode", {"json": {"images": [target]}}),
            ("/encode", {"json": {"images": [good, target]}}),
            ("/encode", {"content": target.encode(), "headers": {"Content-Type": "image/png"}}),
            ("/encode", {"files": {"file": (target, target.encode(), "image/png")}}),
            ("/encode", {"files": {"file": (target, target.encode())}}),
            ("/edit", {"json": {"image": target, "set": {}}}),
            ("/recombine", {"json": {"class": {"image": target}, "style": {"image": good}}}),
            ("/recombine", {"json": {"class": {"image": good}, "style": {"image": target}}}),
            ("/recombine", {"json": {"class": {"images": [good, target]}, "style": {"image": good}}}),
            ("/interpolate", {"json": {"from": {"image": target}, "to": {}, "steps": 2}}),
            ("/interpolate", {"json": {"keyframes": [{}, {"image": good}, {"image": target}], "steps": 2}}),
        ]
        for path, body in bodies:
            answer = keeper.post(path, **body)
            assert answer.status_code == 400, (path, target, answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json"
    with pytest.raises(BlockingIOError):
        listening.accept()


def test_a_model_that_is_named_by_its_place_is_not_opened(
    keeper: TestClient, picture: Path, folder: Path, listening: socket.socket
):
    for target in [*targets(picture, listening), str(folder / "toy"), "../toy", "toy/../toy"]:
        for answer in (
            keeper.get("/decode", params={"model": target}),
            keeper.post("/v2/repository/models/{}/load".format(target.replace("/", "%2f"))),
        ):
            assert answer.status_code == 404, target
    parameters = {"file:1/model.onnx": "eA==", "config": "{}"}
    for name, value in parameters.items():
        answer = keeper.post("/v2/repository/models/toy/load", json={"parameters": {name: value}})
        assert answer.status_code == 422
    with pytest.raises(BlockingIOError):
        listening.accept()


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "SGI", "PCX", "DDS", "EPS", "PDF"])
def test_a_format_that_is_not_on_the_list_is_not_decoded(keeper: TestClient, kind: str):
    file = BytesIO()
    Image.new("L" if kind != "DDS" else "RGB", (32, 32)).save(file, kind)
    content = base64.b64encode(file.getvalue()).decode()
    assert keeper.post("/encode", json={"images": [content]}).status_code == 400
    for media in (
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "image/apng",
        "image/bmp",
        "image/avif",
        "application/x-npy",
    ):
        answer = keeper.post("/encode", content=file.getvalue(), headers={"Content-Type": media})
        assert answer.status_code == 400, media
    assert (
        keeper.post(
            "/encode", content=file.getvalue(), headers={"Content-Type": "application/octet-stream"}
        ).status_code
        == 400
    )
    for media in (f"image/{kind.lower()}", "image/*", ""):
        answer = keeper.post("/encode", content=file.getvalue(), headers={"Content-Type": media})
        assert answer.status_code == 415, media


def test_a_body_is_read_only_as_what_it_says_it_is(keeper: TestClient):
    body = b'{"attributes": {}}'
    for path in ("/decode", "/interpolate", "/edit", "/recombine"):
        for media in ("", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = keeper.post(path, content=body, headers={"Content-Type": media})
            assert answer.status_code == 415, (path, media)
    for path in ("/v2/models/toy/infer", "/v2/repository/index", "/v2/repository/models/toy/load"):
        for media in ("text/plain", "text/html", "application/x-www-form-urlencoded"):
            assert keeper.post(path, content=b"{}", headers={"Content-Type": media}).status_code == 415, (path, media)
