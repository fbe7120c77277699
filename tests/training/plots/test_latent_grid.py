import numpy as np
import pytest

from tests.training.plots.toys import BIT, Bands, cell, context
from training.plots.latent_grid import ENDS, SIDE, code_names, latent_grid, most_informative_codes


@pytest.mark.parametrize("linear", [False, True])
def test_a_latent_grid_spans_the_codes_rightwards_and_upwards(linear: bool) -> None:
    autoencoder = Bands(3)
    looked = context(autoencoder)
    codes = looked.encoded.z
    picture = latent_grid(looked, [2, 0], linear)
    share = np.linspace(*ENDS, SIDE)
    low, high = np.quantile(codes, ENDS, axis=0)
    steps = (
        low + (high - low) * (share[:, None] - ENDS[0]) / (ENDS[1] - ENDS[0])
        if linear
        else np.quantile(codes, share, axis=0)
    )
    for across, up in ((0, 0), (SIDE - 1, 0), (0, SIDE - 1), (7, 16)):
        expected = [steps[up, 0], np.median(codes[:, 1]), steps[across, 2]]
        assert np.allclose(cell(picture, SIDE - 1 - up, across, autoencoder), expected, atol=BIT)


def test_the_most_informative_codes_have_the_least_variance() -> None:
    """The toy's variances fall from .4 to .1."""
    looked = context(Bands(5))
    assert most_informative_codes(looked, 2) == [3, 4]
    assert most_informative_codes(looked, 9) == [0, 1, 2, 3, 4]


def test_a_code_is_named_after_its_attribute_if_it_is_the_only_one() -> None:
    assert code_names(context(Bands(2, knows="group")), [0, 3, 4]) == ["code 0", "z0", "z1"]
