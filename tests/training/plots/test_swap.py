import numpy as np
import pytest

from attributes import Attribute
from tests.training.plots.conftest import held_out
from tests.training.plots.toys import BIT, Bands, Shown, bands, cell, context, picture_of
from training.plots import PICTURES
from training.plots.pictures import GAP
from training.plots.swap import swap_grid
from training.runs import Run


@pytest.mark.parametrize("knows", ["condition", "group"])
def test_a_swap_has_the_class_of_its_column_and_the_style_of_its_row(knows: str) -> None:
    autoencoder = Bands(2, knows=knows)
    looked = context(autoencoder)
    dataset = looked.dataset
    assert isinstance(dataset, Shown)
    picture = picture_of(looked, "swap", "swap.png")
    originals = bands(dataset.images)
    top = [cell(picture, 0, 1 + j, autoencoder) for j in range(10)]
    for i in range(10):
        left = cell(picture, 1 + i, 0, autoencoder)
        for j in range(10):
            row = int(np.abs(originals - top[j]).sum(axis=1).argmin())
            of_class = np.eye(3)[dataset.classes[row]] if knows == "condition" else originals[row, :3]
            assert np.allclose(cell(picture, 1 + i, 1 + j, autoencoder), [*of_class, *left[3:]], atol=BIT)


def test_evidence_of_images_that_are_equally_sure_is_their_mean() -> None:
    autoencoder = Bands(2, knows="group")
    looked = context(autoencoder)
    dataset = looked.dataset
    assert isinstance(dataset, Shown)
    picture = picture_of(looked, "swap", "swap-evidence.png")
    means = np.stack([bands(dataset.images[dataset.classes == each])[:, :3].mean(axis=0) for each in range(3)])
    for j in range(10):  # the top row takes the classes in turn
        assert np.allclose(cell(picture, 1, 1 + j, autoencoder)[:3], means[j % 3], atol=BIT)


@pytest.mark.parametrize("knows", ["condition", "group"])
def test_no_swap_where_the_data_does_not_have_the_class(knows: str) -> None:
    autoencoder = Bands(2, knows=knows)
    other = Attribute(name="other", kind="nominal", size=3, labels=("a", "b", "c"), default="a")
    assert not list(PICTURES["swap"](context(autoencoder, attribute=other)))
    assert list(PICTURES["swap"](context(autoencoder)))


def test_a_cell_of_the_swap_grid_has_the_class_of_its_column_and_the_style_of_its_row(grouped: Run) -> None:
    looked = held_out(grouped)
    top, left = np.array([0, 1, 2]), np.array([7, 8])
    own, _ = looked.autoencoder.codebook.grouped
    picture = swap_grid(looked, top, left, looked.encoded.z[top][:, own])
    z = looked.encoded.z[8].copy()
    z[own] = looked.encoded.z[2][own]
    expected = np.rint(255 * looked.autoencoder.decode(z[None])[0])
    step = 64 + GAP
    cell = picture[GAP + 2 * step : GAP + 2 * step + 64, GAP + 3 * step : GAP + 3 * step + 64]
    assert np.abs(cell.astype(int) - expected).max() <= 1
    assert not picture[GAP : GAP + 64, GAP : GAP + 64].any(), "the corner is blank"
