"""Backbones: images to features, and a point in latent space to image logits. All work for every image size.

Convolutional ones round height and width up to whole cells of some pixels inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELL = 8

ImageShape = tuple[int, int, int]
"""[H, W, C]."""


def cells(image: ImageShape, side: int = CELL) -> tuple[int, int]:
    """How many cells of ``side`` pixels cover an image, down and across."""
    height, width, _ = image
    return -(-height // side), -(-width // side)


def he_initialised(layers: nn.Sequential) -> nn.Sequential:
    """The same layers with weights that keep a signal's variance through ReLUs (He et al. 2015), and no bias.

    torch's default lets it fade by half and more per layer: what a decoder shows of z is then so faint at first that a
    KL term silences z before anything is learned.
    """
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers


class Encoder(nn.Module):
    """A module from images [B, C, H, W] to features [B, F]."""

    features: int


class ConvEncoder(Encoder):
    """Images [B, C, H, W] in 0..1 to features [B, F]: three convolutions down to the cells and two dense layers.

    The first looks at 8 x 8 patches, 4 apart: with as many channels as a patch has pixels nothing of a sprite is lost,
    and no feature map is larger than a sixteenth of the image, which is what makes it fast on a CPU.
    """

    def __init__(self, image: ImageShape, channels: tuple[int, int, int], features: int) -> None:
        super().__init__()
        height, width, colours = image
        down, across = cells(image)
        self.padding = (0, across * CELL - width, 0, down * CELL - height)
        self.features = features
        self.convolutions = he_initialised(
            nn.Sequential(
                nn.Conv2d(colours, channels[0], 8, stride=4, padding=2),
                nn.ReLU(),
                nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(channels[1], channels[2], 3, padding=1),
                nn.ReLU(),
            )
        )
        self.dense = _dense((channels[2] * down * across, features, features), nn.ReLU)

    def forward(self, images: Tensor) -> Tensor:
        images = F.pad(images, self.padding)
        features: Tensor = self.dense(self.convolutions(images).flatten(1))
        return features  # [B, F]


class PixelShuffleDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, two convolutions over the cells, each cell then unfolded.

    All convolutions run at an eighth of the image's resolution; the last gives every cell its 8 x 8 pixels
    (sub-pixel convolution, Shi et al. 2016), which costs less than transposed convolutions and blurs no border.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int]) -> None:
        super().__init__()
        self.image = image
        self.grid = (channels[0], *cells(image))
        down, across = cells(image)
        self.trunk = _dense((length, *trunk, channels[0] * down * across), nn.ReLU)
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(nn.Conv2d(channels[0], channels[1], 3, padding=1), nn.ReLU())),
            nn.Conv2d(channels[1], image[2] * CELL * CELL, 3, padding=1),
            nn.PixelShuffle(CELL),
        )

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        grid = self.trunk(z).unflatten(1, self.grid)  # [B, C', H / 8, W / 8]
        logits: Tensor = self.convolutions(grid)
        return logits[:, :, :height, :width]


class SeparableDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: what a dense trunk says of every row of cells and of every column, added.

    The sum, through a ReLU, gives each cell of 4 x 4 pixels its features: half-planes of any position and slope, if
    what is said is linear along the axes, at the cost of a row and a column instead of all cells. Convolutions then
    combine them, and each cell is unfolded to its pixels (sub-pixel convolution, Shi et al. 2016).
    """

    SIDE = 4

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.image = image
        self.channels, self.cells = channels[0], cells(image, self.SIDE)
        self.trunk = _dense((length, *trunk), nn.ReLU)
        self.lines = he_initialised(nn.Sequential(nn.Linear(trunk[-1], sum(self.cells) * channels[0])))
        layers: list[nn.Module] = [nn.ReLU()]
        for inputs, outputs in pairwise(channels):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(*layers)),
            nn.Conv2d(channels[-1], image[2] * self.SIDE**2, 1),
            nn.PixelShuffle(self.SIDE),
        )

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        lines = self.lines(self.trunk(z)).unflatten(1, (sum(self.cells), self.channels)).transpose(1, 2)
        rows, columns = lines.split(self.cells, dim=2)  # [B, C', H / 4], [B, C', W / 4]
        grid = (rows[:, :, :, None] + columns[:, :, None, :]).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.convolutions(grid)
        return logits[:, :, :height, :width]


class TransposedDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, then four transposed convolutions, each twice as large.

    The decoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    SIDE = 16

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.image = image
        self.grid = (channels[0], *cells(image, self.SIDE))
        self.trunk = _dense((length, *trunk, math.prod(self.grid)), nn.ReLU)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], image[2], 4, stride=2, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        logits: Tensor = self.convolutions(self.trunk(z).unflatten(1, self.grid))
        return logits[:, :, :height, :width]


class ResizingDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, then three times doubled in size and convolved.

    Odena et al. (2016) prefer it to transposed convolutions, whose kernels overlap unevenly.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.image = image
        self.grid = (channels[0], *cells(image))
        self.trunk = _dense((length, *trunk, math.prod(self.grid)), nn.ReLU)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(*layers)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(channels[-1], image[2], 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        logits: Tensor = self.convolutions(self.trunk(z).unflatten(1, self.grid))
        return logits[:, :, :height, :width]


class CoordinateDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: half-planes whose slopes and places a dense trunk says, combined per cell.

    Each cell of 4 x 4 pixels gets ReLU(a x + b y + c) of its place x, y for every half-plane; dense layers that all
    cells share make its pixels of these (a network of coordinates, after Stanley 2007).
    """

    SIDE = 4

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.image = image
        self.trunk = _dense((length, *trunk), nn.ReLU)
        self.planes = he_initialised(nn.Sequential(nn.Linear(trunk[-1], 3 * channels[0])))
        down, across = (torch.linspace(-1, 1, count) for count in cells(image, self.SIDE))
        self.register_buffer("down", down[:, None], persistent=False)
        self.register_buffer("across", across, persistent=False)
        layers: list[nn.Module] = [nn.ReLU()]
        for inputs, outputs in pairwise(channels):
            layers += [nn.Conv2d(inputs, outputs, 1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(*layers)),
            nn.Conv2d(channels[-1], image[2] * self.SIDE**2, 1),
            nn.PixelShuffle(self.SIDE),
        )

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        a, b, c = self.planes(self.trunk(z))[:, :, None, None].chunk(3, dim=1)  # [B, C', 1, 1]
        grid = (a * self.across + b * self.down + c).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.convolutions(grid)
        return logits[:, :, :height, :width]


class StridedEncoder(Encoder):
    """Images [B, C, H, W] in 0..1 to features [B, F]: four convolutions, each half as large, and dense layers.

    The encoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    SIDE = 16

    def __init__(self, image: ImageShape, channels: tuple[int, ...], hidden: tuple[int, ...]) -> None:
        super().__init__()
        height, width, colours = image
        down, across = cells(image, self.SIDE)
        self.padding = (0, across * self.SIDE - width, 0, down * self.SIDE - height)
        self.features = hidden[-1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((colours, *channels)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = he_initialised(nn.Sequential(*layers))
        self.dense = _dense((channels[-1] * down * across, *hidden), nn.ReLU)

    def forward(self, images: Tensor) -> Tensor:
        images = F.pad(images, self.padding)
        features: Tensor = self.dense(self.convolutions(images).flatten(1))
        return features


class DenseEncoder(Encoder):
    """Images [B, C, H, W] in 0..1 to features [B, F] by dense layers."""

    def __init__(
        self, image: ImageShape, hidden: tuple[int, ...], activation: type[nn.Module], normalised: bool = False
    ) -> None:
        super().__init__()
        self.features = hidden[-1]
        self.layers = _dense((math.prod(image), *hidden), activation, normalised)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.layers(images.flatten(1))
        return features


class DenseDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W] by dense layers."""

    def __init__(
        self,
        length: int,
        image: ImageShape,
        hidden: tuple[int, ...],
        activation: type[nn.Module],
        normalised: bool = False,
    ) -> None:
        super().__init__()
        height, width, channels = image
        self.shape = (channels, height, width)
        self.layers = _dense((length, *hidden), activation, normalised)
        self.last = nn.Linear(hidden[-1], math.prod(image))

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.last(self.layers(z))
        return logits.view(-1, *self.shape)


def _dense(sizes: tuple[int, ...], activation: type[nn.Module], normalised: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        normal = [nn.BatchNorm1d(outputs)] if normalised else []
        layers += [nn.Linear(inputs, outputs), *normal, activation()]
    return he_initialised(nn.Sequential(*layers)) if activation is nn.ReLU else nn.Sequential(*layers)


class Backbones(NamedTuple):
    """Both backbones of a system."""

    encoder: Callable[[ImageShape], Encoder]
    """From the image shape."""
    decoder: Callable[[int, ImageShape], nn.Module]
    """From the length of z and the image shape."""


SPRITES = Backbones(
    partial(ConvEncoder, channels=(64, 64, 48), features=256),
    partial(PixelShuffleDecoder, trunk=(256, 320), channels=(64, 128)),
)
"""For 64 x 64 pixels, of which a sprite covers some."""
LEAN = Backbones(
    partial(ConvEncoder, channels=(32, 32, 32), features=256),
    partial(PixelShuffleDecoder, trunk=(256,), channels=(32, 64)),
)
"""For sprites that few latents tell of: a third of the work."""
DIGITS = Backbones(
    partial(ConvEncoder, channels=(64, 96, 96), features=256),
    partial(PixelShuffleDecoder, trunk=(256, 512), channels=(64, 96)),
)
"""For 28 x 28 pixels: fewer cells, more in each."""
DENSE = Backbones(
    partial(DenseEncoder, hidden=(1200, 1200), activation=nn.ReLU),
    partial(DenseDecoder, hidden=(1200, 1200, 1200), activation=nn.ReLU),
)
"""1200-1200-(z)-1200-1200-1200, of github.com/Akella17/Beta-VAE."""
NORMALISED = Backbones(
    partial(DenseEncoder, hidden=(500, 500), activation=nn.ReLU, normalised=True),
    partial(DenseDecoder, hidden=(500, 500), activation=nn.ReLU, normalised=True),
)
"""500-500-(z)-500-500 with batch normalisation, which learns fast."""

ENCODERS: dict[str, Callable[[ImageShape], Encoder]] = {
    "patches": partial(ConvEncoder, channels=(64, 64, 48), features=256),
    "strided": partial(StridedEncoder, channels=(32, 32, 32, 32), hidden=(256, 256)),
    "dense": partial(DenseEncoder, hidden=(512, 512, 256), activation=nn.ReLU),
}
"""By the name of their design, of sizes that compare; the strided one is that of github.com/fostiropoulos/ssvae."""
DECODERS: dict[str, Callable[[int, ImageShape], nn.Module]] = {
    "separable": partial(SeparableDecoder, trunk=(256, 256), channels=(32, 32, 32, 16)),
    "pixel_shuffle": partial(PixelShuffleDecoder, trunk=(512, 320), channels=(64, 128)),
    "transposed": partial(TransposedDecoder, trunk=(256,), channels=(32, 32, 32, 32)),
    "resizing": partial(ResizingDecoder, trunk=(256, 256), channels=(64, 32, 32)),
    "coordinate": partial(CoordinateDecoder, trunk=(256, 256), channels=(96, 96, 96)),
    "dense": partial(DenseDecoder, hidden=(512, 1024), activation=nn.ReLU),
}
"""By the name of their design; the transposed one is that of github.com/fostiropoulos/ssvae."""
