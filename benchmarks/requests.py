"""What is asked: random attribute values to decode and random sprites to encode, and what must be answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.peers.pair import Pair, png, read_png
from benchmarks.protocols import Half
from training.data.dsprites import ATTRIBUTES, RenderedDSprites

GREY_LEVELS, TOLERANCE = 1, 1e-3
"""How far pixels and z may lie from onnxruntime's."""


class WrongAnswer(RuntimeError):
    """An answer that differs from what onnxruntime says."""


def bodies(half: Half, count: int, seed: int = 0) -> Iterator[bytes]:
    """So many different bodies."""
    draw = np.random.default_rng(seed)
    if half == "decode":
        for _ in range(count):
            values = {each.name: int(draw.integers(each.classes)) for each in ATTRIBUTES}
            labelled = {each.name: each.labels[values[each.name]] for each in ATTRIBUTES if each.labels}
            yield json.dumps({"attributes": values | labelled}).encode()
    else:
        sprites = RenderedDSprites()
        for rows in np.array_split(draw.choice(len(sprites), count, replace=False), -(-count // 1000)):
            yield from (png(image[:, :, 0]) for image in sprites.batch(rows).images)


def check(half: Half, pair: Pair, body: bytes, answer: bytes) -> None:
    """Raises WrongAnswer where an answer is not what the pair says of that body."""
    if half == "decode":
        right = pair.decode(pair.place(json.loads(body)["attributes"])[None])[0]
        difference = float(np.abs(read_png(answer).astype(int) - right).max())
        if difference > GREY_LEVELS:
            raise WrongAnswer(f"differs by {difference:g} grey levels for {body!r}")
    else:
        _check_facts(json.loads(answer)["items"][0], pair, body)


def _check_facts(said: dict[str, Any], pair: Pair, body: bytes) -> None:
    z, weights = (each[0] for each in pair.encode(read_png(body)[None]))
    difference = float(np.abs(np.array(said["z"]) - z).max())
    if difference > TOLERANCE:
        raise WrongAnswer(f"z differs by {difference:g}")
    for name, right in pair.facts(z, weights)["items"][0]["attributes"].items():
        if said["attributes"][name]["index"] != right["index"]:
            raise WrongAnswer(f"{name} is {right}, not {said['attributes'][name]}")
