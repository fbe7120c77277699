"""Loss terms, one class per idea. Each gives the mean over the batch of a sum over pixels or latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from training.adversary import Adversary
from training.latents import Evidence, Posterior, Space, Targets, Unsupervised
from training.schedules import Progress, Schedule


class ForwardOutput(NamedTuple):
    """What loss terms get of one pass of a batch through the model."""

    images: Tensor
    """[B, C, H, W] in 0..1."""
    logits: Tensor
    """[B, C, H, W] of the decoded images."""
    posterior: Posterior
    sample: Tensor
    """[B, D] z as drawn from the posterior."""
    targets: Targets
    space: Space
    progress: Progress
    adversary: Adversary | None = None


class Loss(Protocol):
    """One term of the loss, with its weight."""

    @property
    def weight(self) -> float | Schedule:
        """The factor of the term in the loss."""

    def __call__(self, output: ForwardOutput) -> Tensor:
        """The term without its weight, a scalar."""


@dataclass(frozen=True)
class Reconstruction:
    """-log p(x | z) with Bernoulli pixels, in nats per image (Kingma and Welling 2014)."""

    weight: float | Schedule = 1.0

    def __call__(self, output: ForwardOutput) -> Tensor:
        bce = F.binary_cross_entropy_with_logits(output.logits.float(), output.images, reduction="sum")
        return bce / len(output.images)


@dataclass(frozen=True)
class SquaredError:
    """Squared differences of the pixels, summed over an image, or with ``per_pixel`` their mean."""

    weight: float | Schedule = 1.0
    per_pixel: bool = False

    def __call__(self, output: ForwardOutput) -> Tensor:
        squares = (output.logits.float().sigmoid() - output.images).square()  # [B, C, H, W]
        return squares.mean() if self.per_pixel else squares.sum() / len(output.images)


@dataclass(frozen=True)
class KL:
    """KL(q(z | x) || N(0, 1)), in nats per image. The latent of a group counts once per group.

    A ``weight`` beta other than 1 makes a beta-VAE (Higgins et al. 2017). ``free`` is a further factor of free latents.
    With ``per_code`` the KL of each latent variable is divided by its number of codes, as in
    github.com/fostiropoulos/ssvae. Then an attribute of many classes is pulled to the prior no more than one of few.
    """

    weight: float | Schedule = 1.0
    per_code: bool = False
    free: float = 1.0

    def __call__(self, output: ForwardOutput) -> Tensor:
        latents = output.space.each()
        kl = output.space.kl(output.posterior, output.targets)  # [B, latents]
        kl = kl * kl.new_tensor([self.free if isinstance(latent, Unsupervised) else 1.0 for latent in latents])
        if self.per_code:
            kl = kl / kl.new_tensor([max(latent.codes, 1) for latent in latents])
        return kl.sum(dim=1).mean()


@dataclass(frozen=True)
class Capacity:
    """|KL - C| in nats, with the batch's mean KL and a capacity C that rises in training (Burgess et al. 2018).

    A Huber loss (1964) takes the place of the absolute value, divided by its width: quadratic within a tenth of C,
    linear beyond. The gradient of the absolute value would have full strength however close the KL is, with a sign that
    changes from step to step, and latents that could carry more would never become active. The width is small while C
    is small. A wider one would let the KL run ahead, and one position would spread over two latents before the next
    factor has one.
    """

    weight: float
    capacity: Schedule

    def __call__(self, output: ForwardOutput) -> Tensor:
        kl = output.space.kl(output.posterior, output.targets).sum(dim=1).mean()
        capacity = self.capacity(output.progress)
        width = max(capacity, 1.0) / 10
        return F.huber_loss(kl, kl.new_tensor(capacity), delta=width) / width


@dataclass(frozen=True)
class AbsoluteKL:
    """-1/2 mean(1 + logvar - |mean| - var) over codes and batch (github.com/iliya-malecki/vaes).

    This is the KL from N(0, 1) with |mean| in place of its square: the pull on a mean does not grow with its distance.
    """

    weight: float | Schedule = 1.0

    def __call__(self, output: ForwardOutput) -> Tensor:
        mean, logvar = output.posterior.mean, output.posterior.logvar
        return -0.5 * (1 + logvar - mean.abs() - logvar.exp()).mean()


@dataclass(frozen=True)
class Supervised:
    """Cross-entropy, or squared distance, of the labelled attributes, summed over attributes."""

    weight: float | Schedule = 1.0

    def __call__(self, output: ForwardOutput) -> Tensor:
        return output.space.distances(output.posterior, output.sample, output.targets).sum(dim=1).mean()


@dataclass(frozen=True)
class AdversarialLoss:
    """What an adversary finds out about the group from the free latents' means, in nats (Ganin et al. 2016).

    That is the entropy of the groups less the adversary's cross-entropy, a lower bound of the mutual information. In
    training, the adversary first takes ``steps`` steps on the batch. Then the model learns to mislead it. Unlike the
    other terms of a model of groups, it needs a class to have the same index in every batch.
    """

    weight: float | Schedule
    steps: int = 3

    def __call__(self, output: ForwardOutput) -> Tensor:
        adversary, (evidence,) = output.adversary, output.space.of(Evidence)
        target = output.space.target_of(evidence, output.targets)
        assert adversary is not None
        assert target is not None
        means = output.space.means(output.posterior, Unsupervised)  # [B, free codes]
        if adversary.training:
            adversary.learn(means, target, self.steps)
        shares = (target.weights * target.known[:, None]).sum(dim=0) / target.known.sum().clamp_min(1)  # [K]
        entropy: Tensor = torch.special.entr(shares).sum()
        remaining: Tensor = adversary(means, target)
        return entropy - remaining
