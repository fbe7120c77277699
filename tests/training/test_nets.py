import pytest
import torch

from training.nets import ConvEncoder, PixelShuffleDecoder


@pytest.mark.parametrize("image", [(28, 28, 1), (64, 64, 1), (37, 121, 3), (128, 29, 4)])
def test_every_image_size_and_colour_goes_in_and_comes_out(image: tuple[int, int, int]) -> None:
    height, width, channels = image
    encoder, decoder = ConvEncoder(image, (8, 8, 8), 16), PixelShuffleDecoder(5, image, (8,), (8, 8))
    assert encoder(torch.rand(2, channels, height, width)).shape == (2, 16)
    assert decoder(torch.rand(2, 5)).shape == (2, channels, height, width)


def test_every_pixel_reaches_the_features() -> None:
    image = torch.rand(1, 1, 31, 45, requires_grad=True)
    torch.manual_seed(0)
    ConvEncoder((31, 45, 1), (32, 32, 32), 64)(image).sum().backward()
    assert image.grad is not None
    assert (image.grad != 0).all()
