import numpy as np

from tests.training.plots.toys import Bands, context
from training.metrics.latents import LatentStatistics
from training.plots import PICTURES
from training.plots.latents import variance_bars


def test_bars_have_a_place_for_each_latent() -> None:
    latent = LatentStatistics("z0", 0.01, "pos_x", 0.5)
    assert variance_bars([latent] * 9).shape[0] > variance_bars([latent] * 3).shape[0]


def test_active_latents_are_blue_and_idle_ones_grey() -> None:
    def shows_blue(variance: float) -> bool:
        picture = variance_bars([LatentStatistics("z0", variance, "kind", 0.5)])
        return bool((np.abs(picture.astype(int) - [0x1B, 0x6C, 0xA8]).max(axis=2) < 20).any())

    assert shows_blue(0.05)
    assert not shows_blue(0.9)


def test_bars_are_drawn_of_models_with_free_latents_only() -> None:
    free, of_classes = context(Bands(3)), context(Bands(0, knows="condition"))
    assert [file for file, _ in PICTURES["latents"](free)] == ["latents.png"]
    assert not list(PICTURES["latents"](of_classes))
