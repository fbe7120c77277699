"""Requests that are no good: invented, mutated from good ones, and bytes that are no request at all."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from PIL import Image

from tests.soak.bundles import DSPRITES
from tests.soak.client import request
from tests.soak.documents import paths, replaced
from tests.soak.questions import VALUES, questions

POSTED = (
    *("/encode", "/decode", "/interpolate", "/edit", "/recombine"),
    *(f"/v2/models/dsprites{part}/infer" for part in ("", ".encoder", ".decoder")),
    "/v2/repository/index",
    "/v2/repository/models/dsprites/load",
)
ASKED = ("/decode", "/models", "/models/dsprites", "/health/ready", "/metrics", "/openapi.json", "/v2/models/dsprites")
MEDIA = (
    "application/json",
    "application/octet-stream",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-npy",
    *(f"image/{form}" for form in ("png", "apng", "jpeg", "webp", "gif", "tiff")),
)
HEADERS = (
    "accept",
    "content_encoding",
    "x_request_timeout_ms",
    "x_request_id",
    "inference_header_content_length",
    "if_none_match",
    "connection",
    "host",
)
KEYS = (
    *("attributes", "z", "shape", "scale", "orientation", "pos_x", "value"),
    *("from", "to", "keyframes", "steps", "loop", "easing", "fps"),
    *("image", "images", "set", "add", "class", "style"),
    *("inputs", "outputs", "name", "datatype", "data", "id", "parameters", "binary_data_size", "binary_data_output"),
)
EXTREMES = (
    b"-1", b"0", b"1e308", b"-1e999", b"NaN", b"Infinity", b"null", b"true", b'""', b"[]", b"{}", b"2147483648",
    b"18446744073709551616", b"9" * 400, b"0.1e-400", b'"\\ud800"', b'"\\u0000"', b"[[[[[1]]]]]", b"\xff", b"",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (
    -1,
    0,
    1e308,
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "heart",
    [],
    {},
    2**64,
    [[0]],
    {"value": 1},
)
"""What takes the place of bytes, and of values."""


def invented(number: int) -> list[bytes]:
    """JSON of all sorts for all paths, with headers of all sorts, by hypothesis."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(VALUES)
    keys = st.sampled_from(KEYS) | st.text(max_size=5)
    values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)
    documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=4) | values
    latin = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30)
    numbers = st.sampled_from(["0", "-1", "1", "50", "1e9", "9" * 30, "gzip", "*/*;q=2", "close", ""])
    headers = st.dictionaries(st.sampled_from(HEADERS), latin | numbers, max_size=2)
    query = st.dictionaries(keys, st.text(max_size=8) | numbers, max_size=3).map(
        lambda given: (
            "?" + "&".join(f"{quote(k, errors='replace')}={quote(v, errors='replace')}" for k, v in given.items())
        )
    )
    posts = st.tuples(st.just("POST"), st.sampled_from(POSTED))
    others = st.tuples(st.sampled_from(["GET", "PUT", "OPTIONS"]), st.sampled_from(ASKED))
    made = st.builds(
        lambda where, asked, body, media, more: request(
            where[0], where[1] + asked, json.dumps(body).encode(), **{"content_type": media, **more}
        ),
        posts | posts | posts | others,
        st.just("") | query,
        documents,
        st.just(MEDIA[0]) | st.sampled_from(MEDIA),
        headers,
    )
    return _drawn(made, number)


def _drawn(strategy: st.SearchStrategy[bytes], number: int) -> list[bytes]:
    found: list[bytes] = []

    @seed(0)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(example: bytes) -> None:
        found.append(example)

    keep()
    return found[:number]


def mutated(number: int, draw: random.Random) -> Iterator[bytes]:
    """Good requests with one to four changes of their bodies, or of their query."""
    good = real()
    for _ in range(number):
        head, _, body = draw.choice(good).partition(b"\r\n\r\n")
        for _ in range(draw.randint(1, 4)):
            body = _restated(body, draw) if body.startswith(b"{") and draw.random() < 0.7 else _changed(body, draw)
        if b"?" in head and draw.random() < 0.5:
            line, _, rest = head.partition(b"\r\n")
            head = b"\r\n".join(
                [re.sub(rb"=[^& ]*", lambda found: b"=" + quote(draw.choice(EXTREMES)).encode(), line), rest]
            )
        yield re.sub(rb"\r\ncontent-length: \d+", b"\r\ncontent-length: %d" % len(body), head) + b"\r\n\r\n" + body


def garbage(number: int, draw: random.Random) -> Iterator[bytes]:
    """Good requests with changes anywhere, and random bytes: what a server is sent that does not speak HTTP well."""
    good = real()
    for index in range(number):
        if index % 10 == 0:
            yield draw.randbytes(draw.randint(1, 2000))
            continue
        data = draw.choice(good)
        head = data.find(b"\r\n\r\n") + 4
        for _ in range(draw.randint(1, 3)):
            data = _changed(data[:head], draw) + data[head:]
        yield data


def _changed(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    end = place + draw.randint(1, 20)
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?", data[:5000]))
    kind = draw.randrange(6 if numbers else 5)
    if kind == 0:
        return data[:place] + draw.randbytes(draw.randint(1, 8)) + data[end:]
    if kind == 1:
        return data[:place] + data[end:]
    if kind == 2:
        return data[:end] + data[place:]
    if kind == 3:
        return data[:place]
    if kind == 4:
        return data[:place] + draw.choice(EXTREMES) + data[place:]
    start, stop = draw.choice(numbers).span()
    return data[:start] + draw.choice(EXTREMES) + data[stop:]


def _restated(body: bytes, draw: random.Random) -> bytes:
    """JSON with another value somewhere, if it still is JSON."""
    try:
        document = json.loads(body)
    except ValueError:
        return _changed(body, draw)
    path = draw.choice(list(islice(paths(document), 1000)))
    return json.dumps(replaced(document, path, draw.choice(OTHERS))).encode()


def real() -> list[bytes]:
    """Good requests of every kind."""
    asked = [question.request for question in questions([DSPRITES])]
    images = {media: _image(media) for media in ("image/png", "image/jpeg", "image/webp", "image/gif", "image/apng")}
    out = io.BytesIO()
    np.save(out, np.zeros((2, 64, 64), np.uint8))
    images["application/x-npy"] = out.getvalue()
    text = base64.b64encode(images["image/png"]).decode()
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\nContent-Type: %b\r\n\r\n%b\r\n'
        % (media.encode(), data)
        for media, data in images.items()
    )
    asked += [request("POST", "/encode?detail=posterior", data, content_type=media) for media, data in images.items()]
    asked.append(request("POST", "/encode", parts + b"--x--\r\n", content_type="multipart/form-data; boundary=x"))
    asked.append(request("POST", "/encode", {"images": [text] * 2}))
    asked.append(request("POST", "/edit", {"image": text, "set": {"shape": "heart"}, "add": {"pos_x": 3}}))
    asked.append(request("POST", "/recombine", {"class": {"image": text}, "style": {"image": text}}))
    asked.append(
        request("POST", "/interpolate", {"from": VALUES[0], "to": {"image": text}, "steps": 5}, accept="image/gif")
    )
    document: Any = {"inputs": [{"name": "z", "shape": [1, 113], "datatype": "FP32", "data": [0] * 113}]}
    asked.append(request("POST", "/v2/models/dsprites.decoder/infer", document))
    packed = gzip.compress(json.dumps(document).encode())
    asked.append(request("POST", "/v2/models/dsprites.decoder/infer", packed, content_encoding="gzip"))
    asked.append(request("POST", "/v2/repository/index", {"ready": True}))
    return asked


def _image(media: str) -> bytes:
    frames = [Image.new("P", (40, 30), index) for index in range(3)]
    form = media.removeprefix("image/").replace("apng", "png")
    more = {"save_all": True, "append_images": frames[1:]} if media in ("image/gif", "image/apng", "image/webp") else {}
    out = io.BytesIO()
    (frames[0].convert("RGB") if form in ("jpeg", "webp") else frames[0]).save(out, form, **more)
    return out.getvalue()
