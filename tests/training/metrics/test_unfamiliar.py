import numpy as np
import pytest

from tests.training.plots.toys import Bands, Shown, bands
from training.metrics import unfamiliar
from training.metrics.context import EvaluationContext


class Judge(Bands):
    """Images of bands are decoded from what was encoded, all others are not; its threshold is one grey level."""

    unfamiliar = 1 / 255


def context(autoencoder: Bands) -> EvaluationContext:
    dataset = Shown(autoencoder)
    return EvaluationContext(autoencoder, dataset, np.arange(len(dataset)), seed=3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_noise_photographs_and_blank_images_are_unfamiliar_and_the_data_is_not(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfamiliar, "IMAGES_PER_KIND", 20)
    shares = {name: values.mean() for name, values in unfamiliar.compute(context(Judge(3, channels)))}
    assert shares.keys() == {f"unfamiliar.{kind}" for kind in ("rows", "noise", "blank", "faint", "photographs", "two")}
    assert shares["unfamiliar.rows"] == 0
    assert shares["unfamiliar.noise"] == shares["unfamiliar.photographs"] == shares["unfamiliar.blank"] == 1


def test_a_model_without_a_threshold_has_no_score() -> None:
    autoencoder = Judge(3)
    autoencoder.unfamiliar = None
    assert not list(unfamiliar.compute(context(autoencoder)))


def test_the_error_of_rows_is_that_of_their_images() -> None:
    looked = context(Judge(3, idle=(1,)))
    rows = unfamiliar.errors_of_rows(looked)
    lost = np.abs(looked.dataset.batch(looked.rows).images[:, 14, 12, 0] / 255 - 0.5)
    assert rows == pytest.approx(lost / 3, abs=1 / 255)


def test_foreign_images_have_the_shape_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfamiliar, "IMAGES_PER_KIND", 20)
    looked = context(Judge(3, 3))
    images = unfamiliar.out_of_distribution_images(looked)
    assert {each.shape for each in images.values()} == {(20, *looked.autoencoder.image_shape)}
    assert (images["blank"] == images["blank"][:, :1, :1]).all()


def test_faint_images_have_a_contrast_of_few_grey_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfamiliar, "IMAGES_PER_KIND", 20)
    faint = unfamiliar.out_of_distribution_images(context(Judge(3)))["faint"].astype(int)
    lowest, highest = faint.min(axis=(1, 2, 3)), faint.max(axis=(1, 2, 3))
    assert (highest - lowest <= 8).all()
    assert (highest > lowest).any()
    assert (highest[::2] <= 8).all()
    assert (lowest[1::2] > 8).any()


def test_two_images_in_one_are_the_brighter_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfamiliar, "IMAGES_PER_KIND", 20)
    looked = context(Judge(3))
    shown = bands(looked.dataset.batch(looked.rows).images)
    pairs = np.maximum(shown[:, None], shown).reshape(-1, 3)
    for two in bands(unfamiliar.out_of_distribution_images(looked)["two"]):
        assert (pairs == two).all(axis=1).any()
