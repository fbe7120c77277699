from __future__ import annotations

import asyncio
import importlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.problems import Problem
from service.web import multipart
from service.web.multipart import MAX_BOUNDARY_BYTES, MAX_HEAD_BYTES, Part, boundary_of, parse

MOST = 16
# What a boundary, a head, or its end could be taken for.
CONTENTS = [b"", b"\r\n", b"\r\n\r\n--", bytes(range(256)), b"--x\r\n\r\n", b"--", b"\r\n--", b"\n--x--\n"]


class Recorder(HTTPServer):
    """Keeps the Content-Type and the body of the last request."""

    received: tuple[bytes, bytes] = b"", b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received = self.headers["Content-Type"].encode(), body
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Files = list[tuple[str, str, bytes, str]]
"""Name, file name, content and media type of each."""


def _by_requests(name: str) -> Callable[[str, Files, Path], None]:
    """requests, and httpx, which takes the same arguments."""

    def send(url: str, files: Files, folder: Path) -> None:
        module: Any = pytest.importorskip(name)
        module.post(url, files=[(name, (file, content, media)) for name, file, content, media in files])

    return send


def _urllib3(url: str, files: Files, folder: Path) -> None:
    module: Any = pytest.importorskip("urllib3")
    fields = [(name, (file, content, media)) for name, file, content, media in files]
    module.PoolManager().request("POST", url, fields=fields)


def _aiohttp(url: str, files: Files, folder: Path) -> None:
    module: Any = pytest.importorskip("aiohttp")

    async def send() -> None:
        form = module.FormData()
        for name, file, content, media in files:
            form.add_field(name, content, filename=file, content_type=media)
        async with module.ClientSession() as session, session.post(url, data=form) as response:
            await response.read()

    asyncio.run(send())


def _curl(url: str, files: Files, folder: Path) -> None:
    if not (curl := shutil.which("curl")):
        pytest.skip("there is no curl")
    options = []
    for index, (name, file, content, media) in enumerate(files):
        (folder / str(index)).write_bytes(content)
        quoted = file.replace("\\", "\\\\").replace('"', '\\"')
        options += ["-F", f'{name}=@{folder / str(index)};filename="{quoted}";type={media}']
    subprocess.run([curl, "-sS", *options, url], check=True, timeout=60)


@pytest.mark.parametrize(
    "send", [_by_requests("requests"), _by_requests("httpx"), _by_requests("httpx2"), _urllib3, _aiohttp, _curl]
)
def test_what_clients_send_is_read(
    recorder: Recorder, tmp_path: Path, send: Callable[[str, Files, Path], None]
) -> None:
    names = ["a.png", "größe.png", 'with "quotes"; and=more.png']
    files = [(f"f{index}", name, CONTENTS[index], "image/png") for index, name in enumerate(names)]
    files += [(f"g{index}", "b", content, "application/octet-stream") for index, content in enumerate(CONTENTS)]
    send(recorder.url, files, tmp_path)
    content_type, body = recorder.received
    assert parse(body, boundary_of(content_type), MOST) == [
        Part(name, True, media, content) for name, _, content, media in files
    ]


def test_what_browsers_send_is_read() -> None:
    """FormData of a file input with a file and without one, and of a text field, as the HTML standard writes it."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    body = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="files"; filename="größe %22a%22.png"\r\n'
        "Content-Type: image/png\r\n\r\nPNG\r\n"
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="files"; filename=""\r\n'
        "Content-Type: application/octet-stream\r\n\r\n\r\n"
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="note"\r\n\r\nfilename="x"\r\n'
        f"--{boundary}--\r\n"
    ).encode()
    assert boundary_of(f"multipart/form-data; boundary={boundary}".encode()) == boundary.encode()
    assert parse(body, boundary.encode(), MOST) == [
        Part("files", True, "image/png", b"PNG"),
        Part("files", True, "application/octet-stream", b""),
        Part("note", False, "", b'filename="x"'),
    ]


HEAD = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (HEAD + b"1\r\n--x--", b"1"),
        (b"preamble\r\n" + HEAD + b"1\r\n--x--\r\nepilogue", b"1"),
        (HEAD.replace(b"--x", b"--x \t") + b"1\r\n--x--\r\n", b"1"),
        (HEAD + b"\r\n--y\r\n-\r\r\n\r\n--x--", b"\r\n--y\r\n-\r\r\n"),
        (b"--x\r\ncontent-disposition:form-data ;filename*=UTF-8''a ; name=f\r\n\r\n1\r\n--x--", b"1"),
        (b"--x\r\nContent-Type: a; charset=punycode\r\n" + HEAD[5:] + b"1\r\n--x--", b"1"),
    ],
)
def test_a_part_may_be_written_in_many_ways(body: bytes, content: bytes) -> None:
    (part,) = parse(body, b"x", MOST)
    assert (part.name, part.is_file, part.content) == ("f", True, content)


@given(contents=st.lists(st.binary(max_size=60), max_size=6))
def test_any_content_that_does_not_hold_the_boundary_is_read_as_it_is(contents: list[bytes]) -> None:
    boundary = b"a boundary that no content holds"
    head = HEAD.replace(b"--x", b"--" + boundary)
    body = b"".join(head + content + b"\r\n" for content in contents) + b"--" + boundary + b"--\r\n"
    assert [part.content for part in parse(body, boundary, MOST)] == contents


@pytest.mark.parametrize("window", [1, 2, 5, 1000])
def test_a_boundary_is_found_wherever_it_lies(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr(multipart, "WINDOW_BYTES", window)
    test_what_browsers_send_is_read()


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b"--x",
        b"--x\r\n",
        b"--x\r\n\r\n\r\n--x--",
        HEAD + b"1",
        HEAD + b"1\r\n--x",
        HEAD + b"1\r\n--xy\r\n\r\n",
        HEAD.replace(b"form-data", b"attachment") + b"1\r\n--x--",
        HEAD.replace(b"name=", b"nome=") + b"1\r\n--x--",
        b"--x\r\nA: " + b"a" * MAX_HEAD_BYTES + b"\r\n" + HEAD[5:] + b"1\r\n--x--",
    ],
)
def test_what_is_no_multipart_is_a_400(body: bytes) -> None:
    with pytest.raises(Problem, match="malformed multipart") as caught:
        parse(body, b"x", MOST)
    assert caught.value.status_code == 400


def test_no_more_parts_are_read_than_are_wanted() -> None:
    assert len(parse((HEAD + b"1\r\n") * 50 + b"no part", b"x", MOST)) == MOST


@pytest.mark.parametrize(
    ("parameters", "boundary"),
    [
        ("; boundary=x", b"x"),
        (';Boundary = "a b;c"', b"a b;c"),
        (';boundary="a b;c"', b"a b;c"),
        (" ; charset=utf-8; boundary=x", b"x"),
        ("; boundary=x; charset=punycode", b"x"),
        ('; a="; boundary=y"; boundary=x', b"x"),
        ("", None),
        ("; boundary=", None),
        ("; boundary=x; boundary=y", None),
        ("; boundary=" + "x" * MAX_BOUNDARY_BYTES, b"x" * MAX_BOUNDARY_BYTES),
        ("; boundary=" + "x" * (MAX_BOUNDARY_BYTES + 1), None),
    ],
)
def test_of_the_content_type_only_the_boundary_is_taken(parameters: str, boundary: bytes | None) -> None:
    content_type = f"multipart/form-data{parameters}".encode()
    if boundary is None:
        with pytest.raises(Problem, match="one boundary of 1 to 70") as caught:
            boundary_of(content_type)
        assert caught.value.status_code == 400
    else:
        assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("charset", ["punycode", "idna", "no-such-charset-at-all"])
def test_no_charset_that_a_client_names_is_looked_up(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, charset: str
) -> None:
    looked_up: list[str] = []
    # What encodings.search_function looks up is kept for ever, even where there is no such charset.
    encodings: Any = importlib.import_module("encodings")
    monkeypatch.setattr(encodings, "normalize_encoding", looked_up.append)
    body = HEAD + client.get("/decode").content + b"\r\n--x--"
    media = f"multipart/form-data; charset={charset}; boundary=x"
    assert client.post("/encode", content=body, headers={"Content-Type": media}).status_code == 200
    assert looked_up == []
