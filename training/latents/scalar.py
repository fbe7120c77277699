"""One Gaussian code for a whole attribute, supervised by squared distance."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from attributes import Attribute
from training.latents.base import DiscreteLatent, Latent, Posterior
from training.latents.embedding import Embedding, index_matrix, index_mixing


class IndexRegression(DiscreteLatent):
    """One real number for a discrete attribute, supervised by squared distance (``l2`` in fostiropoulos/ssvae).

    Classes lie evenly from -sqrt(3) to sqrt(3): mean 0 and variance 1 for equally frequent classes, as in the prior.
    """

    matrix: Tensor

    def __init__(self, attribute: Attribute) -> None:
        step = 2 * math.sqrt(3) / max(attribute.classes - 1, 1)
        super().__init__(attribute, 1, 1, index_matrix(attribute, step, -math.sqrt(3)), index_mixing(attribute))

    def weights(self, q: Posterior) -> Tensor:
        """Weights [B, K]: the two classes beside the number share it by their distance."""
        assert self.attribute is not None
        last = self.attribute.classes - 1
        position = ((q.mean / math.sqrt(3) + 1) / 2 * last).clamp(0, last)  # [B, 1]
        index = torch.arange(self.attribute.size, device=position.device)
        return F.relu(1 - (position - index).abs())

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Squared distance [B] of the mean from the number of the class."""
        return (q.mean - weights @ self.matrix).square().sum(dim=1)


class ContinuousRegression(Latent):
    """A supervised continuous attribute: its value, scaled from its range to 0..1, is the mean of one Gaussian code."""

    # [2] the lowest and the highest value of the attribute's range.
    bounds: Tensor

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(1, 1, attribute)
        self.register_buffer("bounds", torch.tensor(attribute.bounds), persistent=False)

    @property
    def embedding(self) -> Embedding:
        """Of the value in the attribute's own unit: a matrix [1, 1] and an offset [1]."""
        low, high = self.bounds.unbind()
        return Embedding((1 / (high - low)).view(1, 1), (-low / (high - low)).view(1))

    def weights(self, q: Posterior) -> Tensor:
        """The value [B, 1] in the attribute's own unit."""
        low, high = self.bounds.unbind()
        return low + (high - low) * q.mean

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Squared distance [B] of the mean from the scaled value."""
        low, high = self.bounds.unbind()
        return (q.mean - (weights - low) / (high - low)).square().sum(dim=1)
