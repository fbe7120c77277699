"""Attributes that encoder and decoder are conditioned on."""

from __future__ import annotations

from torch import Tensor

from attributes import Attribute
from training.latents.base import DiscreteLatent, Posterior, Target, cross_entropy
from training.latents.embedding import alias_matrix


class Condition(DiscreteLatent):
    """An attribute that encoder and decoder are given: p(z | x, c) and p(x | z, c) (Sohn, Lee and Yan 2015).

    Where it is not known, a classifier infers it from the image. The classifier is trained in the same run by
    cross-entropy.
    """

    matrix: Tensor

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(attribute, 0, attribute.size, alias_matrix(attribute))
        self.logit_count = self.condition_count = attribute.size

    def sample(self, q: Posterior, noise: Tensor, target: Target | None) -> Tensor:
        """z [B, K]: the condition, without noise."""
        return self.point(q)

    def point(self, q: Posterior) -> Tensor:
        """z [B, K]: the condition."""
        return q.condition @ self.matrix

    def weights(self, q: Posterior) -> Tensor:
        """The condition's weights [B, K]."""
        return q.condition

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy [B] of the classifier, in nats."""
        return cross_entropy(q.class_logits, weights)
