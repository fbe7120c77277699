from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from email.mime.image import MIMEImage
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.problems import Problem
from service.web.base64_files import base64_source, base64_sources

DATA = bytes(range(256)) * 3 + b"!"  # has every digit of base64, and needs padding
PLAIN = base64.b64encode(DATA).decode()
LINES = [PLAIN[index : index + 76] for index in range(0, len(PLAIN), 76)]
FORMS = {
    "plain": PLAIN,
    "lines of Python": base64.encodebytes(DATA).decode(),
    "lines of MIME": "\r\n".join(LINES),
    "lines of an e-mail": str(MIMEImage(DATA, "png").get_payload()),
    "spaces at the ends of lines": " \t\r\n".join(LINES) + "  ",
    "lines that are indented": "\n    " + "\n    ".join(LINES) + "\n",
    "a letter a line": "\n".join(PLAIN),
    "URL-safe": base64.urlsafe_b64encode(DATA).decode(),
    "no padding": PLAIN.rstrip("="),
    "URL-safe without padding": base64.urlsafe_b64encode(DATA).decode().rstrip("="),
    "data URI": "data:image/png;base64," + PLAIN,
    "data URI with parameters": "data:image/svg+xml;charset=utf-8;name=a.svg;base64," + PLAIN,
    "data URI without a type": "data:;base64," + PLAIN,
    "data URI in capitals": "DATA:IMAGE/PNG;BASE64," + PLAIN,
    "data URI with a space": "data:image/png; base64," + PLAIN,
    "data URI of all at once": "Data:image/png;base64,\n" + "\n".join(LINES).translate({43: "-", 47: "_", 61: ""}),
}


@pytest.mark.parametrize("form", FORMS)
def test_base64_is_read_however_it_is_written(form: str):
    assert base64_source(FORMS[form], "here").data == DATA


@pytest.mark.parametrize("length", range(8))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_padding_may_be_left_out_whatever_the_length(length: int, encode: Callable[[bytes], bytes]):
    data = b"\xff" * length
    assert base64_source(encode(data).decode().rstrip("="), "here").data == data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("QUJD!UJD", "character 5 is '!'"),
        ("QUJDé", "character 5 is 'é'"),
        ("QUJD\ud800", "character 5 is '\\ud800'"),
        ("QUJD\0", "character 5 is '\\x00'"),
        ("QUJD\x0cQUJD", "character 5 is '\\x0c'"),
        ("data:image/png;base64,QU%3D", "character 25 is '%'"),
        ("data:image/png;base64,QUé", "character 25 is 'é'"),
        ("QU JD", "character 3 is ' '"),
        ("QUJD\nQ  UJD", "character 7 is ' '"),
        ("QUJD\tQUJD", "character 5 is '\\t'"),
        ("QQ==QUJD", "character 3 is '='"),
        ("data:;base64,QQ==\nQQ==", "character 16 is '='"),
        ("QUJDQ", "5 characters, which are no whole number of bytes"),
        ("QUJDQ===", "5 characters, which are no whole number of bytes"),
        ("QQ=", "2 characters with 1 = behind them instead of 2"),
        ("data:image/png,%89PNG", "a data URI without ;base64, before its data"),
        ("data:image/png;base64", "a data URI without ;base64, before its data"),
        ("data:image/png;notbase64,QUJD", "a data URI without ;base64, before its data"),
        ("data:base64,QUJD", "a data URI without ;base64, before its data"),
        ("data:", "a data URI without ;base64, before its data"),
    ],
)
def test_what_is_no_base64_says_what_is_wrong_and_what_is_accepted(text: str, what: str):
    with pytest.raises(Problem) as caught:
        base64_source(text, "images[3]")
    assert caught.value.status_code == 400
    assert caught.value.detail.startswith(f"images[3]: not base64: {what}; accepts base64, ")
    assert caught.value.members["where"] == "images[3]"


@pytest.mark.parametrize("size", [10, 10**6])
def test_texts_are_read_in_order_small_ones_and_large_ones(size: int):
    texts = {f"images[{n}]": base64.encodebytes(bytes([n]) * size).decode() for n in range(3)}
    sources = asyncio.run(base64_sources(texts))
    assert [(source.where, source.data, source.media) for source in sources] == [
        (f"images[{n}]", bytes([n]) * size, None) for n in range(3)
    ]


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "text/plain"])
def test_every_route_reads_data_uris_by_their_content_whatever_type_they_say(client: TestClient, kind: str):
    image = client.get("/decode?shape=heart").content
    plain = base64.b64encode(image).decode()
    uri = f"data:{kind};base64,{plain}"

    def answers(text: str) -> list[Any]:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("/encode", {"images": [text]}),
            ("/edit", {"image": text, "set": {"scale": 1}}),
            ("/interpolate", {"from": {"image": text}, "to": {}, "steps": 2}),
            ("/recombine?model=conditional", {"class": {"images": [text]}, "style": {"image": text}}),
            ("/recombine?model=conditional", {"class": {"image": text}, "style": {"image": text}}),
        ]
        found = [client.post(path, json=body) for path, body in asked]
        assert [response.status_code for response in found] == [200] * len(asked)
        return [response.content for response in found]

    assert answers(uri) == answers(plain)


def test_an_error_says_which_image_and_which_character(client: TestClient):
    image = base64.b64encode(client.get("/decode").content).decode()
    body = json.dumps({"class": {"images": [image, image[:9] + "\ud800"]}, "style": {"image": image}})
    response = client.post("/recombine?model=conditional", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["where"]) == (400, "class.images[1]")
    assert "character 10 is '\\ud800'" in response.json()["detail"]
