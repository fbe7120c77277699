"""Loss terms: one class per idea, each gives one number, the mean over the batch of a sum over pixels or latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch.nn.functional as F
from torch import Tensor

from training.latents import Latent, Posterior


class Pass(NamedTuple):
    """All that one pass of a batch through the model leaves for the terms."""

    images: Tensor
    """[B, C, H, W] in 0..1."""
    logits: Tensor
    """[B, C, H, W], of the decoded images."""
    posterior: Posterior
    latent: Latent
    targets: Tensor
    """[B, sum K] attribute weights; whatever is not known is to be left out."""
    known: Tensor
    """[B, A] 1 where an attribute is labelled, else 0."""


class Term(Protocol):
    """One addend of the loss, with its weight."""

    @property
    def weight(self) -> float:
        """What the term counts for in the loss."""

    def __call__(self, passed: Pass) -> Tensor:
        """The term's value without its weight, a scalar."""


@dataclass(frozen=True)
class Reconstruction:
    """-log p(x | z) with Bernoulli pixels, in nats per image (Kingma and Welling 2014)."""

    weight: float = 1.0

    def __call__(self, passed: Pass) -> Tensor:
        bce = F.binary_cross_entropy_with_logits(passed.logits.float(), passed.images, reduction="sum")
        return bce / len(passed.images)


@dataclass(frozen=True)
class KL:
    """KL(q(z | x) || N(0, 1)), in nats per image.

    With ``per_class`` each attribute's share is divided by its number of classes, as github.com/fostiropoulos/ssvae has
    it, so that an attribute of many classes is not held closer to the prior than one of few.
    """

    weight: float = 1.0
    per_class: bool = False

    def __call__(self, passed: Pass) -> Tensor:
        kl = passed.latent.kl(passed.posterior)  # [B, A]
        if self.per_class:
            kl = kl / kl.new_tensor([attribute.size for attribute in passed.latent.attributes])
        return kl.sum(dim=1).mean()


@dataclass(frozen=True)
class Supervised:
    """Distance of what the posterior says of the labelled attributes from their labels, summed over attributes."""

    weight: float = 1.0

    def __call__(self, passed: Pass) -> Tensor:
        distances = passed.latent.distances(passed.posterior, passed.targets)  # [B, A]
        return (distances * passed.known).sum(dim=1).mean()
