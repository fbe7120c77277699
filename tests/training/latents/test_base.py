"""The Gaussian KL, and what every latent variable has in common."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

from tests.training.latents.toys import GLOW, KIND, LEVEL, TURN, one_hot, posterior
from training.latents import (
    Argmax,
    ContinuousRegression,
    Guided,
    IndexRegression,
    Latent,
    Sampled,
    Softmax,
    Target,
    Unsupervised,
    cross_entropy,
    gaussian_kl,
)


def test_the_gaussian_kl_is_that_of_torch_distributions() -> None:
    mean, logvar = torch.randn(3, 4), torch.randn(3, 4)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, logvar), expected)


def test_kl_is_summed_over_codes() -> None:
    # KL(N(1, 1) || N(0, 1)) = 1/2
    assert Softmax(TURN).kl(posterior(torch.ones(1, 5), torch.zeros(1, 5)), None).tolist() == [2.5]


def test_cross_entropy_of_the_own_probabilities_is_their_entropy() -> None:
    logits = torch.randn(4, 3)
    torch.testing.assert_close(cross_entropy(logits, logits.softmax(dim=1)), Categorical(logits=logits).entropy())


def test_cross_entropy_is_of_the_means() -> None:
    distance = Softmax(KIND).distance(posterior(torch.tensor([[math.log(3), 0.0]])), torch.zeros(1), torch.eye(2)[:1])
    assert distance.item() == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize(
    "latent",
    [
        Softmax(TURN),
        Sampled(KIND),
        Argmax(LEVEL),
        IndexRegression(LEVEL),
        ContinuousRegression(GLOW),
        Unsupervised(3),
        Guided(KIND, 2, (4,)),
    ],
    ids=lambda latent: type(latent).__name__,
)
def test_a_sample_without_variance_is_the_point(latent: Latent) -> None:
    q = posterior(torch.randn(6, latent.codes))
    torch.testing.assert_close(latent.sample(q, torch.randn(6, latent.codes), None), latent.point(q))


def test_centroids_are_the_means_of_their_classes_and_of_all_where_a_class_is_missing() -> None:
    latent = Guided(LEVEL, 2, ())
    mean = torch.tensor([[1.0, 2], [3, 4], [0, 8]])
    latent.fit(posterior(mean), one_hot(0, 0, 2, size=3))
    torch.testing.assert_close(latent.embedding.matrix, torch.tensor([[2.0, 3], [4 / 3, 14 / 3], [0, 8]]))


def test_unlabelled_rows_don_t_move_centroids() -> None:
    latent = Guided(KIND, 1, ())
    target = Target(torch.eye(2)[[0, 0, 1]], torch.tensor([1.0, 0, 1]))
    latent.fit(posterior(torch.tensor([[1.0], [99], [5]])), target)
    assert latent.embedding.matrix.tolist() == [[1], [5]]


def test_what_needs_fitting_says_so() -> None:
    assert [latent.needs_fit for latent in (Softmax(KIND), Guided(KIND, 2, ()), Unsupervised(1))] == [True] * 3
    assert [latent.needs_fit for latent in (IndexRegression(LEVEL), ContinuousRegression(GLOW))] == [False] * 2
