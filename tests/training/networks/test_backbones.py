"""Every backbone by name works for every image."""

from __future__ import annotations

import pytest
import torch

from training.networks import DECODERS, DENSE, DIGITS, ENCODERS, LEAN, Backbones, ImageShape


@pytest.mark.parametrize("image", [(28, 28, 1), (64, 64, 1), (37, 121, 3), (128, 29, 4)])
def test_every_image_size_and_colour_goes_in_and_comes_out(image: ImageShape) -> None:
    height, width, channels = image
    for encoder in ENCODERS.values():
        made = encoder(image)
        assert made(torch.rand(2, channels, height, width)).shape == (2, made.features)
    for decoder in DECODERS.values():
        assert decoder(5, image)(torch.rand(2, 5)).shape == (2, channels, height, width)


@pytest.mark.parametrize("backbones", [LEAN, DIGITS, DENSE], ids=["lean", "digits", "dense"])
def test_a_pair_goes_together(backbones: Backbones) -> None:
    encoder, decoder = backbones.encoder((28, 28, 1)), backbones.decoder(3, (28, 28, 1))
    assert encoder(torch.rand(2, 1, 28, 28)).shape == (2, encoder.features)
    assert decoder(torch.rand(2, 3)).shape == (2, 1, 28, 28)
