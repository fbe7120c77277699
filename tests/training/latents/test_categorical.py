"""The softmax, sampled and argmax spaces: what is decoded, and temperatures."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.training.latents.toys import KIND, LEVEL, TURN, posterior
from training.latents import Argmax, GaussianLogits, Sampled, Softmax, Target
from training.latents.categorical import fit_temperature


def test_softmax_counts_an_alias_for_the_class_it_stands_for() -> None:
    latent = Softmax(TURN)
    assert latent.embedding.matrix[4].tolist() == [1, 0, 0, 0, 0]
    point = latent.point(posterior(torch.tensor([[0.0, -9, -9, -9, 0]])))
    assert point[0, 0] == pytest.approx(1, abs=1e-3)


def test_classes_with_a_dimension_each_can_be_mixed() -> None:
    assert Softmax(KIND).mixing == Sampled(KIND).mixing == "linear"


@pytest.mark.parametrize(("scaled", "expected"), [(False, [0, 1, 2, 3, 0]), (True, [0, 0.25, 0.5, 0.75, 0])])
def test_argmax_embeds_classes_by_their_index(scaled: bool, expected: list[float]) -> None:
    assert Argmax(TURN, scaled).embedding.matrix[:, 0].tolist() == expected


def test_argmax_has_no_gradient_but_straight_through() -> None:
    for straight in (False, True):
        latent = Argmax(LEVEL, straight_through=straight)
        mean = torch.tensor([[0.5, 0.2, 0.1]], requires_grad=True)
        z = latent.sample(posterior(mean), torch.zeros(1, 3), None)
        assert z.requires_grad is straight
        assert z.item() == 0


@pytest.mark.parametrize("latent", [Softmax(LEVEL), Sampled(LEVEL)], ids=["softmax", "sampled"])
def test_a_fitted_temperature_makes_probabilities_of_means_that_are_too_modest_or_too_bold(
    latent: GaussianLogits,
) -> None:
    """Labels are drawn from a softmax of the means over 2.5: that is the temperature to find."""
    torch.manual_seed(0)
    mean = 4 * torch.randn(20_000, latent.codes)
    classes = torch.multinomial((mean / 2.5).softmax(dim=1), 1).squeeze(1)
    target = Target(F.one_hot(classes, latent.codes).float(), (torch.arange(20_000) % 2).float())
    latent.fit(posterior(mean), target)
    torch.testing.assert_close(latent.weights(posterior(mean)), (mean / 2.5).softmax(dim=1), atol=0.03, rtol=0.1)
    assert fit_temperature(mean, target.weights) == pytest.approx(2.5, rel=0.03)
    assert fit_temperature(mean, mean.softmax(dim=1)) == pytest.approx(1, abs=0.01)
