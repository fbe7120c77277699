import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from training.attributes import Attribute, Attributes
from training.latents import Posterior, Softmax, gaussian_kl

ATTRIBUTES = Attributes(
    [
        Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a"),
        Attribute(name="turn", kind="circular", size=5, period=4),
        Attribute(name="glow", kind="continuous", range=(2.0, 6.0), default=3.0),
    ]
)


@pytest.fixture
def latent() -> Softmax:
    torch.manual_seed(0)
    return Softmax(16, ATTRIBUTES)


def test_the_gaussian_kl_is_that_of_torch_distributions() -> None:
    mean, logvar = torch.randn(3, 4), torch.randn(3, 4)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(Posterior(mean, logvar)), expected)


def test_kl_is_summed_over_the_codes_of_each_attribute(latent: Softmax) -> None:
    posterior = Posterior(torch.zeros(1, 8), torch.zeros(1, 8))
    posterior.mean[0, 2:7] = 1  # KL(N(1, 1) || N(0, 1)) = 1/2
    assert latent.kl(posterior).tolist() == [[0.0, 2.5, 0.0]]


def test_labels_are_placed_as_one_hot_with_aliases_at_the_class_they_stand_for(latent: Softmax) -> None:
    weights = torch.tensor([[1.0, 0, 0, 0, 0, 0, 1, 3.0]])  # class 4 of a circular attribute with period 4
    assert latent.place(weights).tolist() == [[1.0, 0, 1, 0, 0, 0, 0, 0.25]]


def test_a_point_is_the_place_of_the_weights(latent: Softmax) -> None:
    posterior = latent.posterior(torch.randn(6, 16))
    torch.testing.assert_close(latent.point(posterior), latent.place(latent.weights(posterior)))
    torch.testing.assert_close(latent.weights(posterior)[:, :2].sum(dim=1), torch.ones(6))


def test_a_sample_without_variance_is_the_point(latent: Softmax) -> None:
    posterior = Posterior(torch.randn(6, 8), torch.full((6, 8), -100.0))
    torch.testing.assert_close(latent.sample(posterior, torch.randn(6, 8)), latent.point(posterior))


def test_the_distance_is_cross_entropy_or_the_squared_distance_on_0_to_1(latent: Softmax) -> None:
    mean = torch.tensor([[math.log(3), 0.0, 0, 0, 0, 0, 0, 0.75]])
    targets = torch.tensor([[1.0, 0, 0, 0, 0.5, 0.5, 0, 4.0]])  # 4 of 2..6 is 0.5
    distances = latent.distances(Posterior(mean, torch.zeros(1, 8)), targets)
    np.testing.assert_allclose(distances[0], [-math.log(0.75), math.log(5), 0.0625], rtol=1e-6)


def test_every_dimension_belongs_to_one_attribute(latent: Softmax) -> None:
    assert latent.owned(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[1, 1, 2, 2, 2, 2, 2, 3]]
    assert latent.parts[-1].stop == latent.length == 8
