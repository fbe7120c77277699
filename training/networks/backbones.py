"""Encoders and decoders with their sizes, as presets name them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from training.networks.decoders import (
    CoordinateDecoder,
    DenseDecoder,
    PixelShuffleDecoder,
    ResizingDecoder,
    SeparableDecoder,
    TransposedDecoder,
)
from training.networks.encoders import DenseEncoder, Encoder, PatchEncoder, StridedEncoder
from training.networks.layers import ImageShape


class Backbones(NamedTuple):
    """An encoder and the decoder that goes with it."""

    encoder: Callable[[ImageShape], Encoder]
    """From the image shape."""
    decoder: Callable[[int, ImageShape], nn.Module]
    """From the length of z and the image shape."""


# For sprites that few latents describe: about a third of the work of the default networks.
LEAN = Backbones(
    partial(PatchEncoder, channels=(32, 32, 32), features=256),
    partial(PixelShuffleDecoder, trunk=(256,), channels=(32, 64)),
)
# For 28 x 28 pixels: fewer cells, with more features each.
DIGITS = Backbones(
    partial(PatchEncoder, channels=(64, 96, 96), features=256),
    partial(PixelShuffleDecoder, trunk=(256, 512), channels=(64, 96)),
)
# 1200-1200-(z)-1200-1200-1200, of github.com/Akella17/Beta-VAE.
DENSE = Backbones(
    partial(DenseEncoder, hidden=(1200, 1200), activation=nn.ReLU),
    partial(DenseDecoder, hidden=(1200, 1200, 1200), activation=nn.ReLU),
)
# 500-500-(z)-500-500. Batch normalisation makes it learn fast.
BATCH_NORMALISED = Backbones(
    partial(DenseEncoder, hidden=(500, 500), activation=nn.ReLU, batch_norm=True),
    partial(DenseDecoder, hidden=(500, 500), activation=nn.ReLU, batch_norm=True),
)

# By the name of their design, in comparable sizes. ``strided`` is that of github.com/fostiropoulos/ssvae.
ENCODERS: dict[str, Callable[[ImageShape], Encoder]] = {
    "patches": partial(PatchEncoder, channels=(64, 64, 48), features=256),
    "strided": partial(StridedEncoder, channels=(32, 32, 32, 32), hidden=(256, 256)),
    "dense": partial(DenseEncoder, hidden=(512, 512, 256), activation=nn.ReLU),
}
# By the name of their design, in comparable sizes. ``transposed`` is that of github.com/fostiropoulos/ssvae.
DECODERS: dict[str, Callable[[int, ImageShape], nn.Module]] = {
    "separable": partial(SeparableDecoder, trunk=(256, 256), channels=(32, 32, 32, 16)),
    "pixel_shuffle": partial(PixelShuffleDecoder, trunk=(512, 320), channels=(64, 128)),
    "transposed": partial(TransposedDecoder, trunk=(256,), channels=(32, 32, 32, 32)),
    "resizing": partial(ResizingDecoder, trunk=(256, 256), channels=(64, 32, 32)),
    "coordinate": partial(CoordinateDecoder, trunk=(256, 256), channels=(96, 96, 96)),
    "dense": partial(DenseDecoder, hidden=(512, 1024), activation=nn.ReLU),
}
