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

CELL, FINE = 8, 4
"""Pixels along the side of a cell."""

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


class ConvolvingEncoder(Encoder):
    """Images [B, C, H, W], filled up to whole cells, to features [B, F]: ``convolutions``, then ``dense`` layers."""

    convolutions: nn.Sequential
    dense: nn.Sequential

    def __init__(self, image: ImageShape, side: int) -> None:
        super().__init__()
        height, width, _ = image
        self.cells = cells(image, side)
        down, across = self.cells
        self.padding = (0, across * side - width, 0, down * side - height)

    def forward(self, images: Tensor) -> Tensor:
        images = F.pad(images, self.padding)
        features: Tensor = self.dense(self.convolutions(images).flatten(1))
        return features  # [B, F]


class ConvEncoder(ConvolvingEncoder):
    """Images [B, C, H, W] in 0..1 to features [B, F]: three convolutions down to the cells and two dense layers.

    The first looks at 8 x 8 patches, 4 apart: with as many channels as a patch has pixels nothing of a sprite is lost,
    and no feature map is larger than a sixteenth of the image, which is what makes it fast on a CPU.
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
        self.dense = _dense((channels[2] * math.prod(self.cells), features, features), nn.ReLU)


class StridedEncoder(ConvolvingEncoder):
    """Images [B, C, H, W] in 0..1 to features [B, F]: four convolutions, each half as large, and dense layers.

    The encoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    def __init__(self, image: ImageShape, channels: tuple[int, int, int, int], hidden: tuple[int, ...]) -> None:
        super().__init__(image, 2 ** len(channels))
        self.features = hidden[-1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((image[2], *channels)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = he_initialised(nn.Sequential(*layers))
        self.dense = _dense((channels[-1] * math.prod(self.cells), *hidden), nn.ReLU)


class ConvolvingDecoder(nn.Module):
    """z [B, D] to image logits [B, C, H, W]: a ``trunk``, its features laid out over the cells of the image, and
    ``convolutions`` from these to pixels, of which those beyond the image are cut off.
    """

    convolutions: nn.Sequential

    def __init__(self, image: ImageShape, side: int, trunk: nn.Sequential) -> None:
        super().__init__()
        self.image, self.cells = image, cells(image, side)
        self.trunk = trunk

    def laid_out(self, features: Tensor) -> Tensor:
        """The trunk's features [B, F] as [B, C', cells down, cells across]."""
        return torch.unflatten(features, 1, (-1, *self.cells))

    def forward(self, z: Tensor) -> Tensor:
        height, width, _ = self.image
        logits: Tensor = self.convolutions(self.laid_out(self.trunk(z)))
        return logits[:, :, :height, :width]


class PixelShuffleDecoder(ConvolvingDecoder):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, two convolutions over the cells, each cell then unfolded.

    All convolutions run at an eighth of the image's resolution; the last gives every cell its 8 x 8 pixels
    (sub-pixel convolution, Shi et al. 2016), which costs less than transposed convolutions and blurs no border.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int]) -> None:
        super().__init__(image, CELL, _dense((length, *trunk, channels[0] * math.prod(cells(image))), nn.ReLU))
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(nn.Conv2d(channels[0], channels[1], 3, padding=1), nn.ReLU())),
            nn.Conv2d(channels[1], image[2] * CELL * CELL, 3, padding=1),
            nn.PixelShuffle(CELL),
        )


class Doubling(nn.ConvTranspose2d):
    """[B, C, H, W] to [B, C', 2 H, 2 W]: a transposed convolution of 4 x 4 kernels.

    While it is trained, its bias is added apart: oneDNN's gradient of a bias in a transposed convolution takes as long
    as all of the rest. Served, it is one operation.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1)

    def forward(self, cells: Tensor) -> Tensor:  # type: ignore[override]
        if not self.training:
            return super().forward(cells)
        assert self.bias is not None
        doubled = F.conv_transpose2d(cells, self.weight, None, stride=2, padding=1)
        return doubled.add_(self.bias.to(doubled.dtype)[:, None, None])


class TransposedDecoder(ConvolvingDecoder):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, then four transposed convolutions, each twice as large.

    The decoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    def __init__(
        self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int, int, int]
    ) -> None:
        side = 2 ** len(channels)
        super().__init__(image, side, _dense((length, *trunk, channels[0] * math.prod(cells(image, side))), nn.ReLU))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [Doubling(inputs, outputs), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, Doubling(channels[-1], image[2]))


class ResizingDecoder(ConvolvingDecoder):
    """z [B, D] to image logits [B, C, H, W]: a dense trunk, then three times doubled in size and convolved.

    Odena et al. (2016) prefer it to transposed convolutions, whose kernels overlap unevenly.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int, int]) -> None:
        side = 2 ** len(channels)
        super().__init__(image, side, _dense((length, *trunk, channels[0] * math.prod(cells(image, side))), nn.ReLU))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(*layers)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(channels[-1], image[2], 3, padding=1),
        )


class Gated(nn.Module):
    """[B, F] to [B, F'], each the product of two linear maps: a bilinear gated unit (Dauphin et al. 2017).

    Products of attributes, such as a position with the cosine of an angle, are what places an edge; layers of ReLUs
    only come near them.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.maps = nn.Linear(inputs, 2 * outputs)
        nn.init.kaiming_normal_(self.maps.weight, nonlinearity="linear")
        nn.init.zeros_(self.maps.bias)

    def forward(self, features: Tensor) -> Tensor:
        left, right = self.maps(features).chunk(2, dim=1)
        product: Tensor = left * right
        return product


class SeparableDecoder(ConvolvingDecoder):
    """z [B, D] to image logits [B, C, H, W]: what a gated trunk says of every row of cells and of every column, added.

    The sum, through a ReLU, gives each cell of 4 x 4 pixels its features: half-planes of any position and slope, if
    what is said is linear along the axes, at the cost of a row and a column instead of all cells. Convolutions then
    combine them, and each cell is unfolded to its pixels (sub-pixel convolution, Shi et al. 2016).
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__(image, FINE, _gated((length, *trunk)))
        self.lines = he_initialised(nn.Sequential(nn.Linear(trunk[-1], sum(self.cells) * channels[0])))
        self.convolutions = _unfolded(channels, 3, image[2])

    def laid_out(self, features: Tensor) -> Tensor:
        lines = self.lines(features).unflatten(1, (sum(self.cells), -1)).transpose(1, 2)
        rows, columns = lines.split(self.cells, dim=2)  # [B, C', H / 4], [B, C', W / 4]
        grid: Tensor = rows[:, :, :, None] + columns[:, :, None, :]
        return grid.contiguous(memory_format=torch.channels_last)


class CoordinateDecoder(ConvolvingDecoder):
    """z [B, D] to image logits [B, C, H, W]: half-planes whose slopes and places a gated trunk says, combined per cell.

    Each cell of 4 x 4 pixels gets ReLU(a x + b y + c) of its place x, y for every half-plane; dense layers that all
    cells share make its pixels of these (a network of coordinates, after Stanley 2007).
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__(image, FINE, _gated((length, *trunk)))
        self.planes = he_initialised(nn.Sequential(nn.Linear(trunk[-1], 3 * channels[0])))
        down, across = (torch.linspace(-1, 1, count) for count in self.cells)
        self.register_buffer("down", down[:, None], persistent=False)
        self.register_buffer("across", across, persistent=False)
        self.convolutions = _unfolded(channels, 1, image[2])

    def laid_out(self, features: Tensor) -> Tensor:
        a, b, c = self.planes(features)[:, :, None, None].chunk(3, dim=1)  # [B, C', 1, 1]
        grid: Tensor = a * self.across + b * self.down + c
        return grid.contiguous(memory_format=torch.channels_last)


def _unfolded(channels: tuple[int, ...], kernel: int, colours: int) -> nn.Sequential:
    """A ReLU and convolutions over cells of ``FINE`` pixels, each of which is then unfolded to its pixels."""
    layers: list[nn.Module] = [nn.ReLU()]
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU()]
    return nn.Sequential(
        *he_initialised(nn.Sequential(*layers)),
        nn.Conv2d(channels[-1], colours * FINE**2, 1),
        nn.PixelShuffle(FINE),
    )


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


def _gated(sizes: tuple[int, ...]) -> nn.Sequential:
    """Dense layers, of which the last is gated."""
    return nn.Sequential(*_dense(sizes[:-1], nn.ReLU), Gated(*sizes[-2:]))


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
