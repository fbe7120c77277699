from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.peers.pair import Pair, png, read_png
from benchmarks.protocols import HALVES, Half
from benchmarks.requests import WrongAnswer, bodies, check
from training.data.dsprites import ATTRIBUTES


@pytest.mark.parametrize("half", HALVES)
def test_bodies_differ_from_each_other(half: Half) -> None:
    made = [*bodies(half, 300)]
    assert len(made) == 300
    assert len({*made}) > 295  # drawn at random, and rarely two sprites look alike


def test_decode_bodies_hold_values_that_the_attributes_accept() -> None:
    for body in bodies("decode", 50):
        values = json.loads(body)["attributes"]
        assert values.keys() == {each.name for each in ATTRIBUTES}
        ATTRIBUTES.weights(values)


def test_encode_bodies_are_sprites_as_png() -> None:
    for body in bodies("encode", 50):
        assert read_png(body).shape == (64, 64)
        assert {*np.unique(read_png(body))} == {0, 255}


def test_a_decoded_image_may_differ_by_one_grey_level_and_no_more(pair: Pair) -> None:
    body = next(bodies("decode", 1))
    right = pair.decode(ATTRIBUTES.weights(json.loads(body)["attributes"])[None].astype(np.float32))[0]
    off = right.copy()
    off[10, 10] -= 1
    check("decode", pair, body, png(off))
    off[10, 10] -= 1
    with pytest.raises(WrongAnswer, match="2 grey levels"):
        check("decode", pair, body, png(off))


def test_encoded_facts_of_another_image_are_wrong(pair: Pair) -> None:
    own, other = bodies("encode", 2)
    z, weights = pair.encode(np.stack([read_png(own), read_png(other)]))
    check("encode", pair, own, json.dumps(pair.facts(z[0], weights[0])).encode())
    with pytest.raises(WrongAnswer, match="z differs"):
        check("encode", pair, own, json.dumps(pair.facts(z[1], weights[1])).encode())


def test_an_index_that_its_weights_contradict_is_wrong(pair: Pair) -> None:
    body = next(bodies("encode", 1))
    z, weights = (each[0] for each in pair.encode(read_png(body)[None]))
    facts = pair.facts(z, weights)
    facts["items"][0]["attributes"]["scale"]["index"] += 1
    with pytest.raises(WrongAnswer, match="scale"):
        check("encode", pair, body, json.dumps(facts).encode())
