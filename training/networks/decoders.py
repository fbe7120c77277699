"""Decoders: from z [B, D] to image logits [B, C, H, W]. All work for every image size."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from training.networks.layers import (
    CELL,
    FINE_CELL,
    DoublingConv,
    ImageShape,
    bilinear_layers,
    dense_layers,
    grid_shape,
    he_initialised,
    pixels_from_cells,
)


class ConvolutionalDecoder(nn.Module):
    """A ``trunk`` from z to the features of a grid of cells, and ``convolutions`` from the grid to pixels.

    Pixels of the grid that lie beyond the image are cut off.
    """

    convolutions: nn.Sequential

    def __init__(self, image: ImageShape, side: int, trunk: nn.Sequential) -> None:
        super().__init__()
        self.image = image
        self.grid = grid_shape(image, side)
        self.trunk = trunk

    def to_grid(self, features: Tensor) -> Tensor:
        """The trunk's features [B, F] as [B, C', cells down, cells across]."""
        return torch.unflatten(features, 1, (-1, *self.grid))

    def forward(self, z: Tensor) -> Tensor:
        """[B, D] -> [B, C, H, W]."""
        height, width, _ = self.image
        logits: Tensor = self.convolutions(self.to_grid(self.trunk(z)))
        return logits[:, :, :height, :width]


class PixelShuffleDecoder(ConvolutionalDecoder):
    """A dense trunk and two convolutions over cells of 8 x 8 pixels.

    The last convolution gives every cell its pixels (sub-pixel convolution, Shi et al. 2016). This costs less than
    transposed convolutions, and no border is blurred.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int]) -> None:
        sizes = (length, *trunk, channels[0] * math.prod(grid_shape(image)))
        super().__init__(image, CELL, dense_layers(sizes, nn.ReLU))
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(nn.Conv2d(channels[0], channels[1], 3, padding=1), nn.ReLU())),
            nn.Conv2d(channels[1], image[2] * CELL * CELL, 3, padding=1),
            nn.PixelShuffle(CELL),
        )


class TransposedDecoder(ConvolutionalDecoder):
    """A dense trunk and transposed convolutions, each of which doubles the sides.

    The decoder of github.com/fostiropoulos/ssvae, and of most convolutional VAEs.
    """

    def __init__(
        self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int, int, int]
    ) -> None:
        side = 2 ** len(channels)
        sizes = (length, *trunk, channels[0] * math.prod(grid_shape(image, side)))
        super().__init__(image, side, dense_layers(sizes, nn.ReLU))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [DoublingConv(inputs, outputs), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, DoublingConv(channels[-1], image[2]))


class ResizingDecoder(ConvolutionalDecoder):
    """A dense trunk, then three times doubled in size and convolved.

    Odena et al. (2016) prefer it to transposed convolutions, whose kernels overlap unevenly.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, int, int]) -> None:
        side = 2 ** len(channels)
        sizes = (length, *trunk, channels[0] * math.prod(grid_shape(image, side)))
        super().__init__(image, side, dense_layers(sizes, nn.ReLU))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *he_initialised(nn.Sequential(*layers)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(channels[-1], image[2], 3, padding=1),
        )


class SeparableDecoder(ConvolutionalDecoder):
    """A bilinear trunk with an output for every row of cells and one for every column.

    The features of a cell of 4 x 4 pixels are the ReLU of its row's plus its column's output. Where the outputs are
    linear along the axes, such a feature is a half-plane of any position and slope, at the cost of one row and one
    column instead of all cells. Convolutions combine the features.
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__(image, FINE_CELL, bilinear_layers((length, *trunk)))
        self.lines = he_initialised(nn.Sequential(nn.Linear(trunk[-1], sum(self.grid) * channels[0])))
        self.convolutions = pixels_from_cells(channels, 3, image[2])

    def to_grid(self, features: Tensor) -> Tensor:
        """[B, F] -> [B, C', H / 4, W / 4]."""
        lines = self.lines(features).unflatten(1, (sum(self.grid), -1)).transpose(1, 2)  # [B, C', H / 4 + W / 4]
        rows, columns = lines.split(self.grid, dim=2)  # [B, C', H / 4], [B, C', W / 4]
        grid: Tensor = rows[:, :, :, None] + columns[:, :, None, :]
        return grid.contiguous(memory_format=torch.channels_last)


class CoordinateDecoder(ConvolutionalDecoder):
    """A bilinear trunk that gives the slope and offset of half-planes, and dense layers that all cells share.

    A cell of 4 x 4 pixels at the coordinates x, y gets ReLU(a x + b y + c) of every half-plane; its pixels are made
    from these (a network of coordinates, after Stanley 2007).
    """

    def __init__(self, length: int, image: ImageShape, trunk: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__(image, FINE_CELL, bilinear_layers((length, *trunk)))
        self.planes = he_initialised(nn.Sequential(nn.Linear(trunk[-1], 3 * channels[0])))
        down, across = (torch.linspace(-1, 1, count) for count in self.grid)
        self.register_buffer("down", down[:, None], persistent=False)
        self.register_buffer("across", across, persistent=False)
        self.convolutions = pixels_from_cells(channels, 1, image[2])

    def to_grid(self, features: Tensor) -> Tensor:
        """[B, F] -> [B, C', H / 4, W / 4]."""
        a, b, c = self.planes(features)[:, :, None, None].chunk(3, dim=1)  # [B, C', 1, 1] each
        grid: Tensor = a * self.across + b * self.down + c
        return grid.contiguous(memory_format=torch.channels_last)


class DenseDecoder(nn.Module):
    """Dense layers."""

    def __init__(
        self,
        length: int,
        image: ImageShape,
        hidden: tuple[int, ...],
        activation: type[nn.Module],
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        height, width, channels = image
        self.shape = (channels, height, width)
        self.layers = dense_layers((length, *hidden), activation, batch_norm)
        self.last = nn.Linear(hidden[-1], math.prod(image))

    def forward(self, z: Tensor) -> Tensor:
        """[B, D] -> [B, C, H, W]."""
        logits: Tensor = self.last(self.layers(z))
        return logits.view(-1, *self.shape)
