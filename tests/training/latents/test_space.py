"""Several latent variables as one space: columns, targets, conditions and the common codebook."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attributes import Attributes
from tests.training.latents.toys import GLOW, KIND, LEVEL
from training.latents import (
    Condition,
    ContinuousRegression,
    Evidence,
    Guided,
    IndexRegression,
    Softmax,
    Space,
    Targets,
    Unsupervised,
)

ATTRIBUTES = Attributes([KIND, LEVEL, GLOW])


@pytest.fixture
def supervised() -> Space:
    torch.manual_seed(0)
    return Space(8, ATTRIBUTES, [Softmax(KIND), IndexRegression(LEVEL), ContinuousRegression(GLOW)])


def targets(*known: list[float]) -> Targets:
    weights = torch.tensor([[1.0, 0, 0, 0, 1, 4]]).repeat(len(known), 1)
    return Targets(weights, torch.tensor(known))


def test_every_dimension_belongs_to_one_attribute(supervised: Space) -> None:
    book = supervised.codebook()
    assert [(part.attribute, part.start, part.stop) for part in book.parts] == [
        ("kind", 0, 2), ("level", 2, 3), ("glow", 3, 4),
    ]  # fmt: skip
    assert book.matrix.shape == (6, 4)


def test_the_codebook_places_as_the_space_does(supervised: Space) -> None:
    given = targets([1, 1, 1])
    z, mask = supervised.embed(given)
    np.testing.assert_allclose(supervised.codebook().place(given.weights.numpy()), z, atol=1e-6)
    assert mask.all()


def test_what_is_not_known_is_not_embedded(supervised: Space) -> None:
    _, mask = supervised.embed(targets([1, 0, 1]))
    assert mask.tolist() == [[1, 1, 0, 1]]


def test_what_is_not_known_has_no_distance(supervised: Space) -> None:
    q = supervised.posterior(torch.randn(2, 8))
    distances = supervised.distances(q, torch.zeros(2, 4), targets([1, 0, 1], [0, 0, 0]))
    assert (distances != 0).tolist() == [[True, False, True], [False, False, False]]


def test_the_order_of_latents_is_that_of_the_vocabulary() -> None:
    space = Space(8, ATTRIBUTES, [Condition(LEVEL), Unsupervised(2)])
    assert [a.name for a in space.vocabulary()] == ["level", "z0", "z1"]
    book = space.codebook()
    assert book.conditions == ("level",)
    assert [part.code for part in book.parts] == [None, 0, 1]


def test_conditions_are_given_by_weights_over_the_vocabulary() -> None:
    space = Space(8, ATTRIBUTES, [Condition(LEVEL), Unsupervised(2)])
    given = space.condition_targets(torch.tensor([[0.0, 1, 0, 7, 7]]), torch.ones(1, 1))
    assert given.weights.tolist() == [[0, 0, 0, 1, 0, 0]]
    assert given.known.tolist() == [[0, 1, 0]]


def test_a_group_is_in_the_codebook() -> None:
    book = Space(8, ATTRIBUTES, [Evidence(KIND, 2), Unsupervised(1, "style")]).codebook()
    assert book.group is not None
    assert book.group.attribute == "kind"
    assert [a.name for a in book.attributes] == ["kind", "style0"]


def test_two_latents_of_one_attribute_are_refused() -> None:
    with pytest.raises(ValueError, match="different names"):
        Space(8, ATTRIBUTES, [Softmax(KIND), Guided(KIND, 2, ())])


def test_each_latent_gets_its_own_columns(supervised: Space) -> None:
    q = supervised.posterior(torch.randn(5, 8))
    weights = supervised.weights(q)
    torch.testing.assert_close(weights[:, :2], q.mean[:, :2].softmax(dim=1))
    torch.testing.assert_close(weights[:, 5], 2 + 4 * q.mean[:, 3])
    kl = supervised.kl(q, targets(*[[1.0, 1, 1]] * 5))
    assert kl.shape == (5, 3)


def test_a_condition_that_is_not_known_is_inferred() -> None:
    space = Space(8, ATTRIBUTES, [Condition(LEVEL), Unsupervised(2)])
    logits = torch.tensor([[0.0, 1, 2], [0, 1, 2]])
    condition = space.condition(logits, targets([0.0, 1, 0], [1, 0, 1]))
    torch.testing.assert_close(condition, torch.stack([torch.tensor([0.0, 0, 1]), logits[1].softmax(dim=0)]))
