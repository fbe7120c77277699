import numpy as np

from training.metrics.sensitivity import Sensitivity
from training.plots.sensitivity import heat_maps


def test_heat_maps_have_a_place_for_each_latent() -> None:
    names = [f"z{i}" for i in range(7)]
    picture = heat_maps(names, Sensitivity(np.random.default_rng(0).random((7, 8, 8, 1)), np.full(7, 1 / 7)))
    assert picture.shape[1] > 900


def test_a_pixel_that_a_latent_explains_is_bright_in_its_map() -> None:
    pixels = np.zeros((2, 8, 8, 1))
    pixels[0, :4] = pixels[1, 4:] = 1
    picture = heat_maps(["above", "below"], Sensitivity(pixels, np.array([0.5, 0.5]))).mean(axis=-1)
    width = round(picture.shape[1] / 2.9)
    for left, above in ((0, True), (width, False)):
        panel = picture[:, left + width // 3 : left + width // 2]
        dark = (panel < 20).all(axis=1).nonzero()[0]
        assert (dark.mean() > picture.shape[0] / 2) == above
