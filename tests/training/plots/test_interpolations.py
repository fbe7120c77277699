import numpy as np

from tests.training.plots.toys import BIT, Bands, bands, cell, margin_of
from training.autoencoder import to_uint8
from training.plots.interpolations import STEPS, interpolation_strip, side_by_side


def test_an_interpolation_begins_and_ends_with_the_images_and_is_straight_in_free_latents() -> None:
    autoencoder = Bands(2)
    pair = to_uint8(autoencoder.decode(np.array([[0.2, 0.8], [0.8, 0.4]], np.float32)))
    frames = interpolation_strip(autoencoder, pair)
    assert len(frames) == STEPS + 2
    assert (frames[[0, -1]] == pair).all()
    assert np.allclose(bands(frames[1:-1]), np.linspace([0.2, 0.8], [0.8, 0.4], STEPS), atol=1.5 * BIT)


def test_codecs_side_by_side_have_a_row_each() -> None:
    autoencoder, idle = Bands(2), Bands(2, idle=(1,))
    pair = to_uint8(autoencoder.decode(np.array([[0.2, 0.8], [0.8, 0.4]], np.float32)))
    picture = side_by_side({"active": autoencoder, "idle": idle}, pair)
    margin = margin_of(picture, autoencoder, STEPS + 2)
    assert (picture[:, :margin].min(axis=(1, 2)) < 100).any(), "names before the rows"
    middle = 1 + STEPS // 2
    assert np.allclose(cell(picture, 0, middle, autoencoder, margin), [0.5, 0.6], atol=1.5 * BIT)
    assert np.allclose(cell(picture, 1, middle, autoencoder, margin), [0.5, 0.5], atol=1.5 * BIT)
