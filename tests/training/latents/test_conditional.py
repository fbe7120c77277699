"""A condition: what the encoder was given is what is decoded."""

from __future__ import annotations

import torch

from tests.training.latents.toys import TURN
from training.latents import Condition, Posterior


def test_a_condition_is_what_was_given() -> None:
    latent = Condition(TURN)
    given = torch.tensor([[0.0, 0.5, 0, 0, 0.5]])
    q = Posterior(torch.zeros(1, 0), torch.zeros(1, 0), torch.zeros(1, 5), given)
    assert latent.weights(q).tolist() == given.tolist()
    assert latent.point(q).tolist() == [[0.5, 0.5, 0, 0, 0]]  # class 4 is an alias of class 0
    assert latent.sample(q, torch.randn(1, 0), None).tolist() == latent.point(q).tolist()
