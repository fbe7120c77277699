import numpy as np
import pytest
import torch

from training.data.dsprites import ATTRIBUTES, RenderedDSprites
from training.data.few_labels import PartiallyLabelled
from training.latents import Posterior, Targets, Unsupervised
from training.model import VAE
from training.presets import find
from training.trainer.fit_latents import eta_squared, fit_latents, name_latents, rows_to_fit


def test_what_a_factor_explains_is_the_variance_between_its_classes() -> None:
    """Class means 0 and 2, variance 1 within: 1 of a total of 2."""
    draw = np.random.default_rng(0)
    factor = draw.integers(0, 2, 50_000)
    codes = np.stack([2 * factor + draw.standard_normal(50_000), draw.standard_normal(50_000), np.ones(50_000)], axis=1)
    np.testing.assert_allclose(eta_squared(codes, factor), [0.5, 0, 0], atol=0.02)


@pytest.mark.parametrize(("logvar", "name"), [(-3.0, "pos_x"), (0.0, None)])
def test_a_latent_is_named_after_its_factor_unless_it_is_idle(logvar: float, name: str | None) -> None:
    model = VAE(find("beta_conv")(latent=1), ATTRIBUTES, (64, 64, 1))
    batch = RenderedDSprites().batch(np.random.default_rng(0).integers(0, 737_280, 500))
    weights = torch.from_numpy(batch.targets)
    mean = weights[:, ATTRIBUTES.columns("pos_x")].argmax(dim=1, keepdim=True).float()
    nothing = mean[:, :0]
    targets = Targets(weights, torch.from_numpy(batch.known).float())
    name_latents(model, Posterior(mean, torch.full_like(mean, logvar), nothing, nothing), targets)
    assert model.space.of(Unsupervised)[0].follows == (name,)


def test_a_checkpoint_keeps_the_names_of_latents() -> None:
    model = VAE(find("beta_conv")(latent=2), ATTRIBUTES, (64, 64, 1))
    model.space.of(Unsupervised)[0].follows = ("scale", None)
    other = VAE(find("beta_conv")(latent=2), ATTRIBUTES, (64, 64, 1))
    other.load_state_dict(model.state_dict())
    assert other.space.of(Unsupervised)[0].follows == ("scale", None)


def test_latents_are_fitted_on_labelled_rows_if_there_are_any() -> None:
    dataset = RenderedDSprites()
    rows = np.flatnonzero(~dataset.held_out)
    few = PartiallyLabelled(dataset, rows[:30])
    assert set(rows_to_fit(few, rows, 0, 1000)) == set(rows[:30])
    assert len(rows_to_fit(dataset, rows, 0, 1000)) == 1000


def test_a_class_is_placed_at_the_mean_of_its_codes() -> None:
    torch.manual_seed(0)
    model = VAE(find("guided")(label="shape"), ATTRIBUTES, (64, 64, 1)).eval()
    dataset, rows = RenderedDSprites(), np.random.default_rng(0).integers(0, 737_280, 64)
    fit_latents(model, dataset, rows, "cpu")
    batch = dataset.batch(rows)
    with torch.no_grad():
        means = model.encode(torch.from_numpy(batch.images).permute(0, 3, 1, 2).float() / 255).mean
    hearts = batch.targets[:, 2] == 1
    book = model.space.codebook()
    np.testing.assert_allclose(book.place(np.array([[0.0, 0, 1]]))[0], means[hearts].mean(dim=0), atol=1e-5)
