"""Where classes lie: aliases at their class, indices on an axis, centroids by precision."""

from __future__ import annotations

import torch

from tests.training.latents.toys import KIND, LEVEL, TURN
from training.latents.embedding import alias_matrix, class_centroids, index_matrix, index_mixing


def test_an_alias_has_the_row_of_the_class_it_stands_for() -> None:
    assert alias_matrix(TURN).tolist() == [*torch.eye(5)[:4].tolist(), [1, 0, 0, 0, 0]]
    assert index_matrix(TURN, 0.5, 1.0)[:, 0].tolist() == [1, 1.5, 2, 2.5, 1]


def test_what_has_no_order_can_not_be_mixed_on_one_axis() -> None:
    assert [index_mixing(attribute) for attribute in (KIND, LEVEL, TURN)] == ["nearest", "linear", "nearest"]


def test_centroids_are_averages_by_precision_and_aliases_count_for_their_class() -> None:
    """Precisions 1 and 3: (0 + 3 * 4) / 4 = 3; the second image is labelled with the alias of class 0."""
    mean, precision = torch.tensor([[0.0], [4], [7]]), torch.tensor([[1.0], [3], [2]])
    centroids = class_centroids(TURN, mean, torch.eye(5)[[0, 4, 1]], precision)
    overall = (0 + 3 * 4 + 2 * 7) / 6
    torch.testing.assert_close(centroids[:, 0], torch.tensor([3, 7, overall, overall, 3]))
