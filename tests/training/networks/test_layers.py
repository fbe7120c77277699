"""Layers against torch's own, and the variance that an initialisation keeps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.networks.layers import BilinearUnit, DoublingConv, dense_layers, grid_shape


@pytest.mark.parametrize(("side", "cells"), [(8, (4, 6)), (4, (8, 12)), (45, (1, 1))])
def test_cells_cover_an_image(side: int, cells: tuple[int, int]) -> None:
    assert grid_shape((31, 45, 3), side) == cells


def test_relu_layers_keep_the_mean_square_of_a_signal() -> None:
    """He et al. 2015: after a ReLU, the mean square of normal numbers with variance 2 is 1."""
    torch.manual_seed(0)
    features = dense_layers((1000, 1000, 1000, 1000), nn.ReLU)(torch.randn(64, 1000))
    assert features.square().mean().item() == pytest.approx(1, rel=0.15)


def test_a_bilinear_unit_is_the_product_of_two_linear_maps() -> None:
    torch.manual_seed(0)
    unit, features = BilinearUnit(3, 2), torch.randn(5, 3)
    left, right = unit.maps.weight[:2], unit.maps.weight[2:]
    torch.testing.assert_close(unit(features), (features @ left.T) * (features @ right.T))


def test_a_doubling_convolution_is_the_same_in_training_as_served() -> None:
    torch.manual_seed(0)
    layer, features = DoublingConv(3, 5), torch.randn(2, 3, 4, 6)
    trained = layer.train()(features)
    assert trained.shape == (2, 5, 8, 12)
    torch.testing.assert_close(trained, layer.eval()(features))
    torch.testing.assert_close(trained, nn.ConvTranspose2d.forward(layer, features))
