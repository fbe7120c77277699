import pytest
import torch

from training.networks.decoders import DECODERS, ENCODERS, ConvEncoder, SeparableDecoder


@pytest.mark.parametrize("image", [(28, 28, 1), (64, 64, 1), (37, 121, 3), (128, 29, 4)])
def test_every_image_size_and_colour_goes_in_and_comes_out(image: tuple[int, int, int]) -> None:
    height, width, channels = image
    for encoder in ENCODERS.values():
        made = encoder(image)
        assert made(torch.rand(2, channels, height, width)).shape == (2, made.features)
    for decoder in DECODERS.values():
        assert decoder(5, image)(torch.rand(2, 5)).shape == (2, channels, height, width)


def test_every_pixel_reaches_the_features() -> None:
    image = torch.rand(1, 1, 31, 45, requires_grad=True)
    torch.manual_seed(0)
    ConvEncoder((31, 45, 1), (32, 32, 32), 64)(image).sum().backward()
    assert image.grad is not None
    assert (image.grad != 0).all()


def test_a_row_and_a_column_of_cells_each_tell_every_cell_of_theirs() -> None:
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
