"""Request bodies of random attribute values and random sprites, and checks of the responses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np

from benchmarks.peers.pair import Pair, Pixels, png, read_png
from benchmarks.protocols import Form
from training.data.dsprites import ATTRIBUTES, RenderedDSprites

# How far pixels (of 0..255) may differ from onnxruntime's.
GREY_LEVELS = 1
# How far z may differ from onnxruntime's.
TOLERANCE = 1e-3
# Attribute sets in one body of `decode-items`.
ITEMS = 32
# Sprites that are rendered at once.
CHUNK = 1000


class WrongAnswer(RuntimeError):
    """A response that differs from onnxruntime's result."""


def bodies(form: Form, count: int, seed: int = 0) -> Iterator[bytes]:
    """``count`` random request bodies of one form."""
    draw = np.random.default_rng(seed)
    match form:
        case "decode":
            yield from (json.dumps({"attributes": _values(draw)}).encode() for _ in range(count))
        case "decode-query":
            yield from (urlencode(_values(draw)).encode() for _ in range(count))
        case "decode-items":
            for _ in range(count):
                yield json.dumps({"attributes": [_values(draw) for _ in range(ITEMS)]}).encode()
        case "encode":
            yield from _sprites(draw, count)
        case "edit":
            for sprite in _sprites(draw, count):
                name, value = list(_values(draw).items())[draw.integers(len(ATTRIBUTES))]
                yield json.dumps({"image": base64.b64encode(sprite).decode(), "set": {name: value}}).encode()


def _values(draw: np.random.Generator) -> dict[str, int | str]:
    """A random class of each attribute: its label if it has one, else its index."""
    indices = {each.name: int(draw.integers(each.classes)) for each in ATTRIBUTES}
    labels = {each.name: each.labels[indices[each.name]] for each in ATTRIBUTES if each.labels}
    return indices | labels


def _sprites(draw: np.random.Generator, count: int) -> Iterator[bytes]:
    """Different sprites as PNG."""
    sprites = RenderedDSprites()
    for rows in np.array_split(draw.choice(len(sprites), count, replace=False), -(-count // CHUNK)):
        yield from (png(image[:, :, 0]) for image in sprites.batch(rows).images)


def check(form: Form, pair: Pair, body: bytes, content: bytes) -> None:
    """Raise WrongAnswer if a response's content differs from the pair's result for that body."""
    match form:
        case "decode":
            _check_images(read_png(content)[None], pair, [json.loads(body)["attributes"]])
        case "decode-query":
            _check_images(read_png(content)[None], pair, [dict(parse_qsl(body.decode()))])
        case "decode-items":
            images = np.load(BytesIO(content))  # [B, H, W, 1]
            _check_images(images[..., 0], pair, json.loads(body)["attributes"])
        case "encode":
            _check_response(json.loads(content)["items"][0], pair, body)
        case "edit":
            _check_edit(read_png(content), pair, json.loads(body))


def _check_images(images: Pixels, pair: Pair, values: Sequence[Mapping[str, int | str]]) -> None:
    """Compare images [B, H, W] with those of B sets of attribute values."""
    _compare(images, pair.decode(np.stack([pair.latent_point(each) for each in values])), values)


def _check_edit(image: Pixels, pair: Pair, body: dict[str, Any]) -> None:
    """Compare with z' = z + (w_new - w_old) @ codebook over the columns of the attribute that is set."""
    z, weights = pair.encode(read_png(base64.b64decode(body["image"]))[None])
    ((name, value),) = body["set"].items()
    columns = pair.columns[name]
    z += pair.codebook[pair.column(name, value)] - weights[:, columns] @ pair.codebook[columns]
    _compare(image[None], pair.decode(z), body["set"])


def _compare(images: Pixels, expected: Pixels, asked: Any) -> None:
    difference = float(np.abs(images.astype(int) - expected).max())
    if difference > GREY_LEVELS:
        raise WrongAnswer(f"differs by {difference:g} grey levels for {asked!r}")


def _check_response(item: dict[str, Any], pair: Pair, body: bytes) -> None:
    z, weights = (each[0] for each in pair.encode(read_png(body)[None]))
    difference = float(np.abs(np.array(item["z"]) - z).max())
    if difference > TOLERANCE:
        raise WrongAnswer(f"z differs by {difference:g}")
    for name, expected in pair.response(z, weights)["items"][0]["attributes"].items():
        if item["attributes"][name]["index"] != expected["index"]:
            raise WrongAnswer(f"{name} is {expected}, not {item['attributes'][name]}")
