"""What all latent variables share: the posterior, the training targets, and the interface of a latent variable.

A latent variable owns some dimensions of z. ``sample`` is for training only. ``point`` is deterministic, and it is the
only path that is exported.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attributes import Attribute, Mixing
from training.latents.embedding import Embedding, class_centroids


class Posterior(NamedTuple):
    """The encoder's output for a batch: a diagonal Gaussian over the codes, and class logits of some systems."""

    mean: Tensor
    """[B, L]."""
    logvar: Tensor
    """[B, L]."""
    class_logits: Tensor
    """[B, S] logits of classifiers that see more than the codes."""
    condition: Tensor
    """[B, S'] weights of the conditions that the encoder was given, or that it inferred."""


class Target(NamedTuple):
    """What is known of one attribute in a batch."""

    weights: Tensor
    """[B, K] weights over its classes, or the values [B, 1] of a continuous attribute."""
    known: Tensor
    """[B] 1 where the attribute is labelled, else 0."""


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of each code, in nats (Kingma and Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar)


def cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy [B], in nats, of target weights [B, K] under logits [B, K]."""
    return -(weights * logits.log_softmax(dim=1)).sum(dim=1)


class Latent(nn.Module, ABC):
    """A latent variable with ``codes`` Gaussian codes in the posterior and ``length`` dimensions of z.

    ``attribute`` is the attribute of the data that it stands for. It is None where the dimensions are continuous
    attributes of their own.
    """

    # Numbers of columns in the posterior's ``class_logits`` and ``condition``.
    logit_count = 0
    condition_count = 0
    # Whether ``fit`` determines anything.
    needs_fit = False
    # Whether the embedding is known before training.
    has_fixed_embedding = True

    def __init__(self, codes: int, length: int, attribute: Attribute | None = None, mixing: Mixing = "linear") -> None:
        super().__init__()
        self.codes = codes
        self.length = length
        self.attribute = attribute
        self.mixing: Mixing = mixing

    @property
    def width(self) -> int:
        """The number of its weights: one for each class, or one for each continuous attribute."""
        return self.length if self.attribute is None else self.attribute.size

    @property
    @abstractmethod
    def embedding(self) -> Embedding:
        """Its block of the codebook."""

    def class_logits(self, features: Tensor) -> Tensor:
        """Class logits [B, S] from features [B, F]. Most latent variables have none: [B, 0]."""
        return features[:, :0]

    def sample(self, q: Posterior, noise: Tensor, target: Target | None) -> Tensor:
        """z [B, D] from standard normal noise [B, L]. Groups of images are formed by ``target``."""
        return q.mean + (q.logvar / 2).exp() * noise

    def point(self, q: Posterior) -> Tensor:
        """The z [B, D] that stands for the image."""
        return q.mean

    @abstractmethod
    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K], or the values of continuous attributes [B, number of them]."""

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor | None:
        """Supervised loss [B] against target weights [B, K], in nats or as squared distance. None if unsupervised."""
        return None

    def kl(self, q: Posterior, target: Target | None) -> Tensor:
        """KL(q || N(0, 1)) summed over its codes, [B], in nats."""
        return gaussian_kl(q.mean, q.logvar).sum(dim=1)

    def fit(self, q: Posterior, target: Target | None) -> None:
        """Determine what depends on a trained encoder, from the posterior of N rows of the training data."""


class DiscreteLatent(Latent):
    """A latent variable of one discrete attribute.

    ``matrix`` [K, D] is its embedding where that is known from the start. Without it, the embedding is the centroids of
    the classes' means, which ``fit`` takes from data.
    """

    matrix: Tensor | None
    centroids: Tensor | None

    def __init__(
        self,
        attribute: Attribute,
        codes: int,
        length: int,
        matrix: Tensor | None = None,
        mixing: Mixing = "linear",
    ) -> None:
        super().__init__(codes, length, attribute, mixing)
        self.has_fixed_embedding = matrix is not None
        self.needs_fit = matrix is None
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("centroids", torch.zeros(attribute.size, length) if matrix is None else None)

    @property
    def embedding(self) -> Embedding:
        matrix = self.centroids if self.matrix is None else self.matrix
        assert matrix is not None
        return Embedding(matrix, matrix.new_zeros(self.length))

    def fit(self, q: Posterior, target: Target | None) -> None:
        """Take the centroids from the means; every row counts alike."""
        if self.centroids is not None:
            self.fit_centroids(q.mean, target, torch.ones_like(q.mean))

    def fit_centroids(self, mean: Tensor, target: Target | None, precision: Tensor) -> None:
        """Take the centroids from means [N, D] of rows with these targets and precisions [N, D]."""
        assert target is not None
        assert self.attribute is not None
        assert self.centroids is not None
        weights = target.weights * target.known[:, None]  # [N, K]
        self.centroids.copy_(class_centroids(self.attribute, mean, weights, precision))
