"""Discrete attributes with one Gaussian code per class: the softmax, sampled and argmax spaces."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from attributes import Attribute, Mixing
from training.latents.base import DiscreteLatent, Posterior, Target, cross_entropy
from training.latents.embedding import alias_matrix, index_matrix, index_mixing


def fit_temperature(logits: Tensor, weights: Tensor) -> float:
    """The temperature T in .1 to 10 that minimises the cross-entropy of weights [N, K] under logits [N, K] / T.

    Temperature scaling of Guo et al. (2017). The cross-entropy is convex in 1 / T, so bisection on the sign of its
    slope finds the minimum.
    """
    low, high = 0.1, 10.0
    for _ in range(30):
        sharpness = math.sqrt(low * high)
        slope = (((sharpness * logits).softmax(dim=1) - weights) * logits).sum()
        low, high = (low, sharpness) if slope > 0 else (sharpness, high)
    return 1 / math.sqrt(low * high)


class GaussianLogits(DiscreteLatent):
    """One Gaussian code per class, supervised by the cross-entropy of the means. Subclasses define what is decoded.

    After training, the means are divided by a temperature before the softmax, so that probabilities are calibrated.
    """

    temperature: Tensor

    def __init__(
        self, attribute: Attribute, length: int, matrix: Tensor | None = None, mixing: Mixing = "linear"
    ) -> None:
        super().__init__(attribute, attribute.size, length, matrix, mixing)
        self.needs_fit = True
        self.register_buffer("temperature", torch.ones(()))

    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K]."""
        return (q.mean / self.temperature).softmax(dim=1)

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy [B] of the means, in nats."""
        return cross_entropy(q.mean, weights)

    def fit(self, q: Posterior, target: Target | None) -> None:
        """Take the temperature, and the centroids if the embedding is made of them, from labelled rows."""
        super().fit(q, target)
        assert target is not None
        known = target.known > 0
        if known.any():
            self.temperature.fill_(fit_temperature(q.mean[known], target.weights[known]))


class Softmax(GaussianLogits):
    """The decoder gets the softmax of the sample, so that any mixture of classes is a point of latent space.

    The softmax space of github.com/fostiropoulos/ssvae. The probability of a circular attribute's aliases is added to
    the class that they stand for before z is decoded.
    """

    matrix: Tensor

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(attribute, attribute.size, alias_matrix(attribute))

    def sample(self, q: Posterior, noise: Tensor, target: Target | None) -> Tensor:
        """z [B, K]: the softmax of the sampled codes."""
        return super().sample(q, noise, target).softmax(dim=1) @ self.matrix

    def point(self, q: Posterior) -> Tensor:
        """z [B, K]: the class probabilities."""
        return self.weights(q) @ self.matrix


class Sampled(GaussianLogits):
    """The decoder gets the sample itself (``sampled`` in ssvae). A class lies at the centroid of its means."""

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(attribute, attribute.size)


class Argmax(GaussianLogits):
    """The decoder gets the index of the largest sampled code, or with ``scaled`` the index as a share of the last one.

    ``argmax`` and ``argmax_norm`` in ssvae. No gradient of the reconstruction reaches the encoder. With
    ``straight_through`` the gradient is that of the expected index (Bengio et al. 2013).
    """

    matrix: Tensor

    def __init__(self, attribute: Attribute, scaled: bool = False, straight_through: bool = False) -> None:
        scale = 1 / max(attribute.size - 1, 1) if scaled else 1.0
        super().__init__(attribute, 1, index_matrix(attribute, scale), index_mixing(attribute))
        self.straight_through = straight_through

    def sample(self, q: Posterior, noise: Tensor, target: Target | None) -> Tensor:
        """z [B, 1]: the index of the largest sampled code."""
        code = super().sample(q, noise, target)  # [B, K]
        hard = self.matrix[code.argmax(dim=1)]  # [B, 1]
        if not self.straight_through:
            return hard
        expected = code.softmax(dim=1) @ self.matrix  # [B, 1]
        return hard + expected - expected.detach()

    def point(self, q: Posterior) -> Tensor:
        """z [B, 1]: the index of the largest mean."""
        return self.matrix[q.mean.argmax(dim=1)]
