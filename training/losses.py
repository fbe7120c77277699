"""Loss terms: one class per idea, each gives one number, the mean over the batch of a sum over pixels or latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from training.adversary import Adversary
from training.latents.base import Evidence, Posterior, Unsupervised
from training.latents.space import Labels, Space
from training.schedules import Progress, Schedule


class ForwardOutput(NamedTuple):
    """All that one pass of a batch through the model leaves for the terms."""

    images: Tensor
    """[B, C, H, W] in 0..1."""
    logits: Tensor
    """[B, C, H, W], of the decoded images."""
    posterior: Posterior
    sample: Tensor
    """[B, D] z as drawn from the posterior."""
    labels: Labels
    space: Space
    progress: Progress
    adversary: Adversary | None = None


class Loss(Protocol):
    """One addend of the loss, with its weight."""

    @property
    def weight(self) -> float | Schedule:
        """What the term counts for in the loss."""

    def __call__(self, passed: ForwardOutput) -> Tensor:
        """The term's value without its weight, a scalar."""


@dataclass(frozen=True)
class Reconstruction:
    """-log p(x | z) with Bernoulli pixels, in nats per image (Kingma and Welling 2014)."""

    weight: float | Schedule = 1.0

    def __call__(self, passed: ForwardOutput) -> Tensor:
        bce = F.binary_cross_entropy_with_logits(passed.logits.float(), passed.images, reduction="sum")
        return bce / len(passed.images)


@dataclass(frozen=True)
class SquaredError:
    """Squared differences of the pixels, summed over an image, or with ``per_pixel`` their mean."""

    weight: float | Schedule = 1.0
    per_pixel: bool = False

    def __call__(self, passed: ForwardOutput) -> Tensor:
        squares = (passed.logits.float().sigmoid() - passed.images).square()
        return squares.mean() if self.per_pixel else squares.sum() / len(passed.images)


@dataclass(frozen=True)
class KL:
    """KL(q(z | x) || N(0, 1)), in nats per image; of a group's latent once per group.

    A ``weight`` beta other than 1 makes a beta-VAE (Higgins et al. 2017); free latents count ``free`` times that.
    With ``per_code`` each latent variable's share is divided by its number of codes, as
    github.com/fostiropoulos/ssvae has it, so that an attribute of many classes is not held closer to the prior than
    one of few.
    """

    weight: float | Schedule = 1.0
    per_code: bool = False
    free: float = 1.0

    def __call__(self, passed: ForwardOutput) -> Tensor:
        kl = passed.space.kl(passed.posterior, passed.labels)  # [B, latents]
        kl = kl * kl.new_tensor(
            [self.free if isinstance(latent, Unsupervised) else 1.0 for latent in passed.space.each()]
        )
        if self.per_code:
            kl = kl / kl.new_tensor([max(latent.codes, 1) for latent in passed.space.each()])
        return kl.sum(dim=1).mean()


@dataclass(frozen=True)
class Capacity:
    """|KL - C|, with the batch's mean KL and a capacity C that rises in training, in nats (Burgess et al. 2018).

    Within a tenth of C its square over twice that width, and less by half the width beyond (Huber 1964): a plain
    distance would push the encoder by the whole weight to and fro, from step to step, so that latents that could tell
    more never wake. While C is small, so is the width: a KL that runs ahead of it would let a position bend through two
    latents before the next factor has one.
    """

    weight: float
    capacity: Schedule

    def __call__(self, passed: ForwardOutput) -> Tensor:
        kl = passed.space.kl(passed.posterior, passed.labels).sum(dim=1).mean()
        capacity = self.capacity(passed.progress)
        width = max(capacity, 1.0) / 10
        return F.huber_loss(kl, kl.new_tensor(capacity), delta=width) / width


@dataclass(frozen=True)
class AbsoluteKL:
    """-1/2 mean(1 + logvar - |mean| - var) over codes and batch (github.com/iliya-malecki/vaes).

    The KL from N(0, 1) with |mean| in place of its square, so that means far out are not pulled in the harder.
    """

    weight: float | Schedule = 1.0

    def __call__(self, passed: ForwardOutput) -> Tensor:
        mean, logvar = passed.posterior.mean, passed.posterior.logvar
        return -0.5 * (1 + logvar - mean.abs() - logvar.exp()).mean()


@dataclass(frozen=True)
class Supervised:
    """Distance of the labelled attributes from their labels, nats or squared, summed over attributes."""

    weight: float | Schedule = 1.0

    def __call__(self, passed: ForwardOutput) -> Tensor:
        return passed.space.distances(passed.posterior, passed.sample, passed.labels).sum(dim=1).mean()


@dataclass(frozen=True)
class AdversarialLoss:
    """What the free latents' means tell of a group, in nats: the entropy of the groups less the critic's cross-entropy.

    The critic first takes ``steps`` steps on the batch; then the model learns to mislead it (Ganin et al. 2016). Unlike
    the rest of a model that knows only groups, the critic relies on a group's being the same one in every batch.
    """

    weight: float | Schedule
    steps: int = 3

    def __call__(self, passed: ForwardOutput) -> Tensor:
        adversary, (evidence,) = passed.adversary, passed.space.of(Evidence)
        label = passed.space.label(evidence, passed.labels)
        assert adversary is not None
        assert label is not None
        means = passed.space.means(passed.posterior, Unsupervised)
        if adversary.training:
            adversary.learn(means, label, self.steps)
        shares = (label.target * label.known[:, None]).sum(dim=0) / label.known.sum().clamp_min(1)
        entropy: Tensor = torch.special.entr(shares).sum()
        left: Tensor = adversary(means, label)
        return entropy - left
