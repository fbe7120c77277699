"""What encoders look at."""

from __future__ import annotations

import torch

from training.networks import PatchEncoder


def test_every_pixel_reaches_the_features() -> None:
    image = torch.rand(1, 1, 31, 45, requires_grad=True)
    torch.manual_seed(0)
    PatchEncoder((31, 45, 1), (32, 32, 32), 64)(image).sum().backward()
    assert image.grad is not None
    assert (image.grad != 0).all()
