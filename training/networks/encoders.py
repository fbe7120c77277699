"""Encoders: from images [B, C, H, W] in 0..1 to features [B, F]. All work for every image size."""

from __future__ import annotations

import math
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.layers import CELL, ImageShape, dense_layers, grid_shape, he_initialised


class Encoder(nn.Module):
    """A module from images [B, C, H, W] in 0..1 to ``features`` numbers [B, F]."""

    features: int


class ConvolutionalEncoder(Encoder):
    """Images, padded to whole cells of ``side`` pixels, through ``convolutions`` and then ``dense`` layers."""

    convolutions: nn.Sequential
    dense: nn.Sequential

    def __init__(self, image: ImageShape, side: int) -> None:
        super().__init__()
        height, width, _ = image
        self.grid = grid_shape(image, side)
        down, across = self.grid
        self.padding = (0, across * side - width, 0, down * side - height)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, F]."""
        images = F.pad(images, self.padding)
        features: Tensor = self.dense(self.convolutions(images).flatten(1))
        return features


class PatchEncoder(ConvolutionalEncoder):
    """Three convolutions down to cells of 8 x 8 pixels, and two dense layers.

    The first convolution looks at patches of 8 x 8 pixels, 4 apart. With as many channels as a patch has pixels, it
    loses nothing of a sprite. No feature map is larger than a sixteenth of the image, which makes it fast on a CPU.
    """

    def __init__(self, image: ImageShape, channels: tuple[int, int, int], features: int) -> None:
        super().__init__(image, CELL)
        self.features = features
        self.convolutions = he_initialised(
            nn.Sequential(
                nn.Conv2d(image[2], channels[0], 8, stride=4, padding=2),
                nn.ReLU(),
                nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(channels[1], channels[2], 3, padding=1),
                nn.ReLU(),
            )
        )
        self.dense = dense_layers((channels[2] * math.prod(self.grid), features, features), nn.ReLU)


class StridedEncoder(ConvolutionalEncoder):
    """Convolutions of stride 2, each of which halves the sides, and dense layers.

    The encoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    def __init__(self, image: ImageShape, channels: tuple[int, int, int, int], hidden: tuple[int, ...]) -> None:
        super().__init__(image, 2 ** len(channels))
        self.features = hidden[-1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((image[2], *channels)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = he_initialised(nn.Sequential(*layers))
        self.dense = dense_layers((channels[-1] * math.prod(self.grid), *hidden), nn.ReLU)


class DenseEncoder(Encoder):
    """Dense layers."""

    def __init__(
        self, image: ImageShape, hidden: tuple[int, ...], activation: type[nn.Module], batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.features = hidden[-1]
        self.layers = dense_layers((math.prod(image), *hidden), activation, batch_norm)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, F]."""
        features: Tensor = self.layers(images.flatten(1))
        return features
