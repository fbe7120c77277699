"""Latent spaces: from features to a posterior, a sample, a point, and to and from attribute weights.

``sample`` is for training only; ``point`` is deterministic and the only path that is exported. Every space places
attribute weights by a codebook, z = weights @ codebook + offset, and says which dimensions belong to which attribute.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from training.attributes import Attribute, Attributes


class Posterior(NamedTuple):
    """A diagonal Gaussian over latent codes, [B, L] each."""

    mean: Tensor
    logvar: Tensor


class Part(NamedTuple):
    """The dimensions start..stop of z that belong to one attribute, and what a mixture of its classes' rows means."""

    attribute: str
    start: int
    stop: int
    mixing: Literal["linear", "nearest"]


class Latent(nn.Module, ABC):
    """A latent space over named attributes. ``length`` is D, the length of z; ``codes`` is L, that of the posterior."""

    codebook: Tensor
    """[sum K, D]."""
    offset: Tensor
    """[D]."""
    parts: tuple[Part, ...]
    length: int
    codes: int

    def __init__(self, attributes: Attributes) -> None:
        super().__init__()
        self.attributes = attributes

    @abstractmethod
    def posterior(self, features: Tensor) -> Posterior:
        """q(code | image) from features [B, F]."""

    @abstractmethod
    def sample(self, posterior: Posterior, noise: Tensor) -> Tensor:
        """z [B, D] from standard normal noise [B, L]."""

    @abstractmethod
    def point(self, posterior: Posterior) -> Tensor:
        """The z [B, D] that stands for the image."""

    @abstractmethod
    def weights(self, posterior: Posterior) -> Tensor:
        """Class probabilities of discrete attributes and values of continuous ones, [B, sum K]."""

    @abstractmethod
    def distances(self, posterior: Posterior, targets: Tensor) -> Tensor:
        """How far each attribute is from its target weights [B, sum K]: [B, A], nats or squared distance."""

    @abstractmethod
    def kl(self, posterior: Posterior) -> Tensor:
        """KL(q || N(0, 1)) summed over each attribute's codes, [B, A], in nats."""

    def place(self, weights: Tensor) -> Tensor:
        """z [B, D] of attribute weights [B, sum K]."""
        return weights @ self.codebook + self.offset

    def owned(self, per_attribute: Tensor) -> Tensor:
        """[B, A] spread over the dimensions that each attribute owns, [B, D]."""
        names = [attribute.name for attribute in self.attributes]
        owner = [names.index(part.attribute) for part in self.parts for _ in range(part.start, part.stop)]
        return per_attribute[:, owner]


def gaussian_kl(posterior: Posterior) -> Tensor:
    """KL of N(mean, exp(logvar)) from N(0, 1) for each code, in nats (Kingma and Welling 2014, appendix B)."""
    mean, logvar = posterior
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar)


class Softmax(Latent):
    """Each discrete attribute is a softmax over a Gaussian code with one dimension per class.

    The softmax space of github.com/fostiropoulos/ssvae, with two additions: a circular attribute's aliases are counted
    for the classes that they stand for before anything is decoded, and a continuous attribute is one Gaussian code,
    its value scaled to 0..1.
    """

    def __init__(self, features: int, attributes: Attributes) -> None:
        super().__init__(attributes)
        self.length = self.codes = attributes.total
        self.heads = nn.Linear(features, 2 * self.codes)
        columns = [attributes.columns(attribute.name) for attribute in attributes]
        self.parts = tuple(Part(a.name, c.start, c.stop, "linear") for a, c in zip(attributes, columns, strict=True))
        codebook, offset = torch.zeros(attributes.total, attributes.total), torch.zeros(attributes.total)
        for attribute, column in zip(attributes, columns, strict=True):
            if attribute.kind == "continuous":
                low, high = attribute.bounds
                codebook[column, column] = 1 / (high - low)
                offset[column] = -low / (high - low)
            else:
                for index in range(attribute.size):
                    codebook[column.start + index, column.start + index % attribute.classes] = 1
        self.register_buffer("codebook", codebook, persistent=False)
        self.register_buffer("offset", offset, persistent=False)

    def posterior(self, features: Tensor) -> Posterior:
        mean, logvar = self.heads(features).float().chunk(2, dim=1)
        return Posterior(mean, logvar)

    def sample(self, posterior: Posterior, noise: Tensor) -> Tensor:
        return self.place(self._weights(posterior.mean + (posterior.logvar / 2).exp() * noise))

    def point(self, posterior: Posterior) -> Tensor:
        return self.place(self.weights(posterior))

    def weights(self, posterior: Posterior) -> Tensor:
        return self._weights(posterior.mean)

    def _weights(self, code: Tensor) -> Tensor:
        return torch.cat([self._read(a, code[:, self.attributes.columns(a.name)]) for a in self.attributes], dim=1)

    @staticmethod
    def _read(attribute: Attribute, code: Tensor) -> Tensor:
        if attribute.kind == "continuous":
            low, high = attribute.bounds
            return low + (high - low) * code
        return code.softmax(dim=1)

    def distances(self, posterior: Posterior, targets: Tensor) -> Tensor:
        distances = []
        for attribute in self.attributes:
            columns = self.attributes.columns(attribute.name)
            code, target = posterior.mean[:, columns], targets[:, columns]
            if attribute.kind == "continuous":
                low, high = attribute.bounds
                distances.append((code - (target - low) / (high - low)).square().sum(dim=1))
            else:
                distances.append(-(target * code.log_softmax(dim=1)).sum(dim=1))
        return torch.stack(distances, dim=1)

    def kl(self, posterior: Posterior) -> Tensor:
        kl = gaussian_kl(posterior)
        return torch.stack([kl[:, part.start : part.stop].sum(dim=1) for part in self.parts], dim=1)
