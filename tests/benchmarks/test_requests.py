from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

from attributes import Attributes
from benchmarks.peers.pair import Float32, Pair, Pixels, png, read_png
from benchmarks.protocols import Form
from benchmarks.requests import ITEMS, WrongAnswer, bodies, check
from benchmarks.servers import ALL_FORMS
from export.bundle import read_bundle
from training.data.dsprites import ATTRIBUTES

ROOT = Path(__file__).parents[2]


def npy(images: Pixels) -> bytes:
    """Images [B, H, W] as the service's npy file [B, H, W, 1]."""
    out = io.BytesIO()
    np.save(out, images[..., None])
    return out.getvalue()


@pytest.mark.parametrize("form", ALL_FORMS)
def test_bodies_differ_from_each_other(form: Form) -> None:
    made = [*bodies(form, 300)]
    assert len(made) == 300
    assert len({*made}) > 295  # drawn at random, and rarely two sprites look alike


def test_decode_bodies_hold_values_that_the_attributes_accept() -> None:
    for body in bodies("decode", 50):
        values = json.loads(body)["attributes"]
        assert values.keys() == {each.name for each in ATTRIBUTES}
        ATTRIBUTES.weights(values)


def test_queries_hold_the_same_values_as_decode_bodies() -> None:
    for query, body in zip(bodies("decode-query", 50), bodies("decode", 50), strict=True):
        values = {name: str(value) for name, value in json.loads(body)["attributes"].items()}
        assert dict(parse_qsl(query.decode())) == values


def test_bodies_of_items_hold_32_sets_of_values() -> None:
    for body in bodies("decode-items", 5):
        items = json.loads(body)["attributes"]
        assert len(items) == ITEMS == 32
        ATTRIBUTES.weights(items[-1])


def test_edit_bodies_set_one_attribute_of_a_sprite() -> None:
    for body in bodies("edit", 50):
        given = json.loads(body)
        assert read_png(base64.b64decode(given["image"])).shape == (64, 64)
        ((name, value),) = given["set"].items()
        ATTRIBUTES.named(name).canonical(value)


def test_encode_bodies_are_sprites_as_png() -> None:
    for body in bodies("encode", 50):
        assert read_png(body).shape == (64, 64)
        assert {*np.unique(read_png(body))} == {0, 255}


@pytest.mark.parametrize("form", ["decode", "decode-query"])
def test_a_decoded_image_may_differ_by_one_grey_level_and_no_more(pair: Pair, form: Form) -> None:
    body, values = next(bodies(form, 1)), json.loads(next(bodies("decode", 1)))["attributes"]
    right = pair.decode(ATTRIBUTES.weights(values)[None].astype(np.float32))[0]
    off = right.copy()
    off[10, 10] -= 1
    check(form, pair, body, png(off))
    off[10, 10] -= 1
    with pytest.raises(WrongAnswer, match="2 grey levels"):
        check(form, pair, body, png(off))


def test_of_several_decoded_images_each_is_compared(pair: Pair) -> None:
    body = next(bodies("decode-items", 1))
    z = np.stack([ATTRIBUTES.weights(each) for each in json.loads(body)["attributes"]]).astype(np.float32)
    images = pair.decode(z)
    check("decode-items", pair, body, npy(images))
    images[-1, 10, 10] -= 2
    with pytest.raises(WrongAnswer, match="2 grey levels"):
        check("decode-items", pair, body, npy(images))


def test_an_edited_image_is_that_of_the_codebooks_edit(pair: Pair, reference: Path) -> None:
    body = next(bodies("edit", 1))
    z, edited = _edited(body, pair, reference)
    check("edit", pair, body, png(pair.decode(edited)[0]))
    with pytest.raises(WrongAnswer, match="grey levels"):
        check("edit", pair, body, png(pair.decode(z)[0]))


def test_edits_are_checked_by_a_codebook_that_is_not_the_identity() -> None:
    shipped = (
        ROOT / "service/bundles/dsprites"
    )  # whose last orientation, a full turn, has the latent point of the first
    pair = Pair(shipped)
    assert (pair.codebook != np.eye(len(pair.codebook))).any()
    for body in bodies("edit", 50):
        check("edit", pair, body, png(pair.decode(_edited(body, pair, shipped)[1])[0]))


def _edited(body: bytes, pair: Pair, bundle: Path) -> tuple[Float32, Float32]:
    """z [1, D] of the image in a body, and z as the bundle's codebook edits it."""
    given = json.loads(body)
    z, weights = pair.encode(read_png(base64.b64decode(given["image"]))[None])
    read = read_bundle(bundle)
    ((name, value),) = given["set"].items()
    changed = weights.astype(float)
    attributes = Attributes(read.manifest.attributes)
    changed[:, attributes.columns(name)] = attributes.named(name).weights(value)
    return z, np.asarray(read.codebook.edit(z, weights.astype(float), changed), np.float32)


def test_the_response_for_another_image_is_wrong(pair: Pair) -> None:
    own, other = bodies("encode", 2)
    z, weights = pair.encode(np.stack([read_png(own), read_png(other)]))
    check("encode", pair, own, json.dumps(pair.response(z[0], weights[0])).encode())
    with pytest.raises(WrongAnswer, match="z differs"):
        check("encode", pair, own, json.dumps(pair.response(z[1], weights[1])).encode())


def test_an_index_that_its_weights_contradict_is_wrong(pair: Pair) -> None:
    body = next(bodies("encode", 1))
    z, weights = (each[0] for each in pair.encode(read_png(body)[None]))
    response = pair.response(z, weights)
    response["items"][0]["attributes"]["scale"]["index"] += 1
    with pytest.raises(WrongAnswer, match="scale"):
        check("encode", pair, body, json.dumps(response).encode())
