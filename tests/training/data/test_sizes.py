"""Images of several sizes."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from training.data.dataset import DataError
from training.data.reading import Fit
from training.data.sizes import fitted, target_size

SIZES = Counter({(16, 16): 3, (32, 24): 2, (8, 40): 1})


@pytest.mark.parametrize(("fit", "size"), [("pad", (32, 40)), ("crop", (8, 16)), ("scale", (16, 16))])
def test_each_way_has_its_target(fit: Fit, size: tuple[int, int]) -> None:
    assert target_size(SIZES, fit, "x") == size


def test_several_sizes_are_counted_and_the_ways_are_offered() -> None:
    with pytest.raises(DataError) as caught:
        target_size(SIZES, "", "art")
    assert str(caught.value) == (
        "art: the images have 3 sizes (width x height): 3 of 16 x 16, 2 of 32 x 24, 1 of 8 x 40; "
        "bring them to one with --fit pad, --fit crop or --fit scale"
    )


@pytest.mark.parametrize("size", [(7, 16), (16, 257)])
def test_sides_beyond_the_limits_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="each must be 8 to 256"):
        target_size(Counter([size]), "", "x")


def test_padding_is_transparent_and_keeps_every_pixel() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(1, 256, (6, 4, 4), np.uint8))
    padded = np.asarray(fitted(image, (8, 10), "pad"))
    assert np.array_equal(padded[2:8, 2:6], np.asarray(image))
    assert padded.sum() == np.asarray(image).sum(dtype=int)


def test_cropping_takes_the_middle() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 8), np.uint8)
    assert np.array_equal(np.asarray(fitted(Image.fromarray(pixels), (4, 6), "crop")), pixels[2:8, 2:6])


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_whole_factor_makes_a_square_of_each_pixel(factor: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 4), np.uint8)
    scaled = fitted(Image.fromarray(pixels), (4 * factor, 4 * factor), "scale")
    assert np.array_equal(np.asarray(scaled), pixels.repeat(factor, 0).repeat(factor, 1))


def test_half_of_enlarged_pixel_art_is_the_pixel_art() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    pixels[..., 3] = np.where(pixels[..., 3] > 100, 255, 0)
    large = Image.fromarray(pixels.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(np.asarray(fitted(large, (8, 8), "scale")), pixels)


def test_the_shape_is_kept_and_the_rest_is_padded() -> None:
    scaled = np.asarray(fitted(Image.new("RGBA", (8, 4), (255, 0, 0, 255)), (16, 16), "scale"))
    assert (scaled[4:12] == (255, 0, 0, 255)).all()
    assert not scaled[:4].any()
    assert not scaled[12:].any()


def test_other_factors_mix_colours_by_their_alpha() -> None:
    """The hidden green of what is transparent must not show."""
    pixels = np.zeros((12, 12, 4), np.uint8)
    pixels[:, :6] = (255, 0, 0, 255)
    pixels[:, 6:] = (0, 255, 0, 0)
    scaled = np.asarray(fitted(Image.fromarray(pixels), (9, 9), "scale"))
    assert (scaled[scaled[..., 3] > 8][:, 1] < 16).all()
