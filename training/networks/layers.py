"""Layers and shapes that encoders and decoders share.

Convolutional networks cover an image with a grid of square cells. Images whose sides are no multiple of a cell's side
are padded on the way in, and cut off on the way out.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

ImageShape = tuple[int, int, int]  # [H, W, C]

# Pixels along the side of a cell: in the patch and pixel-shuffle designs, and in the separable and coordinate ones.
CELL = 8
FINE_CELL = 4


def grid_shape(image: ImageShape, side: int = CELL) -> tuple[int, int]:
    """The number of cells of ``side`` pixels that cover an image, down and across."""
    height, width, _ = image
    return -(-height // side), -(-width // side)


def he_initialised(layers: nn.Sequential) -> nn.Sequential:
    """The same layers with weights that keep a signal's variance through ReLUs (He et al. 2015), and zero biases.

    With torch's default the variance halves, at least, in each layer. The output of a decoder then hardly depends on z
    at first, and a KL term drives z to the prior before anything is learned.
    """
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers


def dense_layers(sizes: tuple[int, ...], activation: type[nn.Module], batch_norm: bool = False) -> nn.Sequential:
    """Dense layers [B, sizes[0]] -> [B, sizes[-1]], each with its activation."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        normalisation = [nn.BatchNorm1d(outputs)] if batch_norm else []
        layers += [nn.Linear(inputs, outputs), *normalisation, activation()]
    return he_initialised(nn.Sequential(*layers)) if activation is nn.ReLU else nn.Sequential(*layers)


class BilinearUnit(nn.Module):
    """[B, F] -> [B, F']: the product of two linear maps, a bilinear gated linear unit (Dauphin et al. 2017).

    An edge lies where products of attributes say, such as a position times the cosine of an angle. Layers of ReLUs only
    approximate products.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.maps = nn.Linear(inputs, 2 * outputs)
        nn.init.kaiming_normal_(self.maps.weight, nonlinearity="linear")
        nn.init.zeros_(self.maps.bias)

    def forward(self, features: Tensor) -> Tensor:
        """[B, F] -> [B, F']."""
        left, right = self.maps(features).chunk(2, dim=1)  # [B, F'] each
        product: Tensor = left * right
        return product


def bilinear_layers(sizes: tuple[int, ...]) -> nn.Sequential:
    """Dense layers [B, sizes[0]] -> [B, sizes[-1]], the last one a bilinear unit."""
    return nn.Sequential(*dense_layers(sizes[:-1], nn.ReLU), BilinearUnit(*sizes[-2:]))


class DoublingConv(nn.ConvTranspose2d):
    """[B, C, H, W] -> [B, C', 2 H, 2 W]: a transposed convolution with kernels of 4 x 4.

    In training, the bias is added by an operation of its own, because oneDNN's gradient of a transposed convolution's
    bias takes as long as all of the rest. Served, it is one operation.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """[B, C, H, W] -> [B, C', 2 H, 2 W]."""
        if not self.training:
            return super().forward(features)
        assert self.bias is not None
        doubled = F.conv_transpose2d(features, self.weight, None, stride=2, padding=1)
        return doubled.add_(self.bias.to(doubled.dtype)[:, None, None])


def pixels_from_cells(channels: tuple[int, ...], kernel: int, colours: int) -> nn.Sequential:
    """[B, channels[0], H / 4, W / 4] -> image logits [B, colours, H, W]: convolutions over fine cells.

    The last layer gives every cell its 4 x 4 pixels (sub-pixel convolution, Shi et al. 2016).
    """
    layers: list[nn.Module] = [nn.ReLU()]
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU()]
    return nn.Sequential(
        *he_initialised(nn.Sequential(*layers)),
        nn.Conv2d(channels[-1], colours * FINE_CELL**2, 1),
        nn.PixelShuffle(FINE_CELL),
    )
