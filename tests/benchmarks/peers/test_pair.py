from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.pair import BUNDLE, Pair, png, read_png
from benchmarks.reference import examples, halves
from training.data.dsprites import ATTRIBUTES

VALUES = {"shape": "heart", "scale": 3, "orientation": 12, "pos_x": 20, "pos_y": 9}


def test_z_of_attribute_values_is_one_hot(pair: Pair) -> None:
    np.testing.assert_array_equal(pair.latent_point(VALUES), ATTRIBUTES.weights(VALUES))


def test_digits_stand_for_an_index(pair: Pair) -> None:
    digits = {name: str(value) for name, value in VALUES.items()}
    np.testing.assert_array_equal(pair.latent_point(digits), pair.latent_point(VALUES))


def test_each_attribute_has_its_own_columns(pair: Pair) -> None:
    assert pair.columns == {each.name: ATTRIBUTES.columns(each.name) for each in ATTRIBUTES}


def test_it_computes_what_torch_does(pair: Pair) -> None:
    image, z = examples()
    encoder, decoder = halves()
    pixels = (image[:, 0].numpy() * 255).astype(np.uint8)  # [B, H, W]
    np.testing.assert_allclose(pair.encode(pixels)[1], encoder(image)[1].detach().numpy(), atol=1e-4)
    drawn = 255 * decoder(z)[0][:, 0].detach().numpy()
    assert np.abs(pair.decode(z.numpy()) - drawn).max() < 0.51  # rounding


def test_the_response_has_the_most_probable_class(pair: Pair) -> None:
    z = pair.latent_point(VALUES)
    attributes = pair.response(z, 0.5 * z)["items"][0]["attributes"]
    assert attributes["shape"] == {"value": "heart", "index": 2, "confidence": 0.5}
    assert attributes["pos_x"] == {"value": 20, "index": 20, "confidence": 0.5}


def test_the_environment_names_the_bundle(reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUNDLE, str(reference))
    assert Pair.from_environment().codebook.shape == (ATTRIBUTES.total, ATTRIBUTES.total)


def test_png_keeps_every_pixel() -> None:
    pixels = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    np.testing.assert_array_equal(read_png(png(pixels)), pixels)
