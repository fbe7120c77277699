"""One number per attribute: indices between their neighbours, values scaled to their range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.training.latents.toys import GLOW, KIND, LEVEL, TURN, posterior
from training.latents import ContinuousRegression, IndexRegression


def test_a_number_lies_between_its_neighbours() -> None:
    latent = IndexRegression(LEVEL)
    numbers = latent.embedding.matrix[:, 0]
    assert numbers.mean().item() == pytest.approx(0, abs=1e-6)
    between = (numbers[1] + numbers[2]) / 2
    np.testing.assert_allclose(latent.weights(posterior(between.view(1, 1))), [[0, 0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(latent.weights(posterior(torch.tensor([[9.0]]))), [[0, 0, 1]])


def test_the_distance_is_that_from_the_number_of_the_class() -> None:
    """Three classes lie at -sqrt(3), 0 and sqrt(3)."""
    distance = IndexRegression(LEVEL).distance(posterior(torch.zeros(2, 1)), torch.zeros(2, 1), torch.eye(3)[[1, 2]])
    assert distance.tolist() == pytest.approx([0, 3])


def test_what_has_no_order_can_not_be_mixed_in_one_number() -> None:
    assert [IndexRegression(a).mixing for a in (KIND, LEVEL, TURN)] == ["nearest", "linear", "nearest"]


def test_a_supervised_value_is_scaled_to_its_range() -> None:
    latent = ContinuousRegression(GLOW)
    q = posterior(torch.tensor([[0.75]]))
    assert latent.weights(q).item() == 5
    assert latent.distance(q, torch.zeros(1), torch.tensor([[4.0]])).item() == pytest.approx(0.0625)  # 4 is 0.5 of 2..6
    matrix, offset = latent.embedding
    assert (5 * matrix + offset).item() == pytest.approx(0.75)
