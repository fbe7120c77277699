"""A model in torch as numpy functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attributes import Attribute, Attributes
from training import presets
from training.inference import TorchAutoencoder, image_tensor
from training.model import VAE

ATTRIBUTES = Attributes([Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")])


@pytest.fixture(scope="module")
def autoencoder() -> TorchAutoencoder:
    torch.manual_seed(0)
    return TorchAutoencoder(VAE(presets.find("conditional")(), ATTRIBUTES, (28, 30, 3)))


def test_images_become_tensors_with_channels_first() -> None:
    images = np.zeros((1, 2, 3, 4), np.uint8)
    images[0, 1, 2, 3] = 51
    tensor = image_tensor(images)
    assert tensor.shape == (1, 4, 2, 3)
    assert tensor[0, 3, 1, 2].item() == pytest.approx(0.2)
    assert tensor.sum().item() == pytest.approx(0.2)


def test_arrays_have_the_promised_shapes(autoencoder: TorchAutoencoder) -> None:
    encoded = autoencoder.encode(np.zeros((5, 28, 30, 3), np.uint8))
    book = autoencoder.codebook
    assert encoded.z.shape == (5, book.length)
    assert encoded.weights.shape == (5, book.attributes.total)
    assert encoded.mean.shape == encoded.logvar.shape
    assert autoencoder.decode(encoded.z).shape == (5, 28, 30, 3)


def test_conditions_are_given_by_their_weights(autoencoder: TorchAutoencoder) -> None:
    given = np.zeros((2, autoencoder.codebook.attributes.total), np.float32)
    given[[0, 1], [1, 0]] = 1
    encoded = autoencoder.encode(np.zeros((2, 28, 30, 3), np.uint8), given)
    np.testing.assert_array_equal(encoded.weights[:, :2], [[0, 1], [1, 0]])
