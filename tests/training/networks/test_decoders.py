"""What decoders can draw."""

from __future__ import annotations

import pytest
import torch

from training.networks import DECODERS, SeparableDecoder


def test_a_row_of_cells_changes_the_pixels_around_it_only() -> None:
    torch.manual_seed(0)
    decoder = SeparableDecoder(5, (64, 64, 1), (8,), (8, 8))
    before = decoder(torch.zeros(1, 5))
    with torch.no_grad():
        decoder.lines[0].bias[3 * 8 : 4 * 8] += 1  # of the fourth row of cells
    changed = (decoder(torch.zeros(1, 5)) != before)[0, 0].any(dim=1).nonzero()
    assert changed.min() >= 2 * 4  # pixel rows of the cells around it, which the convolution reaches
    assert changed.max() < 5 * 4


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_can_put_anything_anywhere(name: str) -> None:
    """Every pixel depends on z, in an image whose sides are no multiples of a cell."""
    torch.manual_seed(0)
    decoder = DECODERS[name](5, (37, 45, 2))
    images = decoder(torch.randn(8, 5))
    assert (images.std(dim=0) > 0).all()
