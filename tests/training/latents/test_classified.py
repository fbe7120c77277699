"""Classifiers beside Gaussian codes: of the sample, or of the features."""

from __future__ import annotations

import torch

from tests.training.latents.toys import KIND, posterior
from training.latents import Branched, Guided


def test_a_guided_latent_classifies_its_sample_in_training_and_its_mean_afterwards() -> None:
    torch.manual_seed(0)
    latent = Guided(KIND, 2, (3,))
    q, sample = posterior(torch.zeros(1, 2)), torch.tensor([[1.0, -1]])
    expected = -latent.classifier(sample).log_softmax(dim=1)[0, 1]
    torch.testing.assert_close(latent.distance(q, sample, torch.eye(2)[1:])[0], expected)
    torch.testing.assert_close(latent.weights(q), latent.classifier(torch.zeros(1, 2)).softmax(dim=1))


def test_a_branched_latent_classifies_features() -> None:
    latent = Branched(KIND, 2, features=7, hidden=(5,))
    logits = latent.class_logits(torch.randn(4, 7))
    q = posterior(torch.zeros(4, 2), class_logits=logits)
    torch.testing.assert_close(latent.weights(q), logits.softmax(dim=1))
    torch.testing.assert_close(
        latent.distance(q, torch.zeros(4, 2), torch.eye(2)[[0] * 4]), -logits.log_softmax(1)[:, 0]
    )
