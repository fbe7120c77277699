"""The multi-level VAE's class: codes that all images of a group share."""

from __future__ import annotations

import torch
from torch import Tensor

from attributes import Attribute
from training.latents.base import DiscreteLatent, Posterior, Target, cross_entropy, gaussian_kl


class Evidence(DiscreteLatent):
    """Codes that all images of a group share: the product of their Gaussians (Bouchacourt et al. 2018).

    With 1/V = sum 1/var and M = V sum mean/var, a group has one draw from N(M, V) and one KL term. An image without a
    label is a group of its own. Only groups are supervised, no classifier learns the class: weights are proportional
    to exp(-|mean - row|^2 / 2 tau^2), where the rows are the evidence of each class on data.

    ``detached`` stops the gradient through the evidence, as github.com/ananyahjha93/multi-level-vae does. With
    ``subgroups``, the evidence comes from some images of the group in training and stands for the others too. So the
    decoder learns to use the code of a single image, and that code says nothing of another image but its class.
    """

    centroids: Tensor
    # The standard deviation of a class around its row.
    tau: Tensor

    def __init__(self, attribute: Attribute, length: int, detached: bool = False, subgroups: bool = False) -> None:
        super().__init__(attribute, length, length)
        self.detached, self.subgroups = detached, subgroups
        self.register_buffer("tau", torch.ones(()))

    def sample(self, q: Posterior, noise: Tensor, target: Target | None) -> Tensor:
        """z [B, D]: one draw per group."""
        assert target is not None
        mean, logvar, members = self._evidence(q, target)
        first = members.argmax(dim=1)  # the first image of each image's group; the whole group takes its noise
        return mean + (logvar / 2).exp() * noise[first]

    def kl(self, q: Posterior, target: Target | None) -> Tensor:
        """KL [B] in nats, divided evenly among the images of a group."""
        assert target is not None
        mean, logvar, members = self._evidence(q, target)
        return gaussian_kl(mean, logvar).sum(dim=1) / members.sum(dim=1)

    def _evidence(self, q: Posterior, target: Target) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log-variance [B, L] of each image's group, and [B, B] 1 where two images are in one group."""
        mean, logvar = (q.mean.detach(), q.logvar.detach()) if self.detached else (q.mean, q.logvar)
        members = group_members(target)
        contributors = members * subgroup(members, target.known) if self.subgroups else members
        precision = (-logvar).exp()
        total = contributors @ precision
        return contributors @ (precision * mean) / total, -total.log(), members

    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K]."""
        return self._logits(q.mean, self.tau).softmax(dim=1)

    def _logits(self, mean: Tensor, tau: Tensor) -> Tensor:
        """Class logits [B, K] of means [B, L]."""
        return -(mean[:, None] - self.centroids).square().sum(dim=2) / (2 * tau**2)

    def fit(self, q: Posterior, target: Target | None) -> None:
        """Take the rows from the evidence of each class, and the tau that makes the targets most likely."""
        assert target is not None
        self.fit_centroids(q.mean, target, (-q.logvar).exp())
        taus = torch.logspace(-2, 1, 61, device=q.mean.device)
        losses = [(cross_entropy(self._logits(q.mean, tau), target.weights) * target.known).sum() for tau in taus]
        self.tau.copy_(taus[torch.stack(losses).argmin()])


def group_members(target: Target) -> Tensor:
    """[B, B]: 1 where two images are labelled with the same class, and for each image with itself."""
    group = target.weights.argmax(dim=1)
    both_known = target.known[:, None] * target.known
    return ((group[:, None] == group) * both_known).clamp_min(torch.eye(len(group), device=both_known.device))


def subgroup(members: Tensor, known: Tensor) -> Tensor:
    """[B]: 1 for the images that contribute to their group's evidence. A group of n has n^u of them, rounded down.

    u is uniform between 0 and 1, so that the sizes 1, 2 to 3, 4 to 7, ... are equally frequent. ``sample`` and ``kl``
    must get the same images, so u is not drawn but computed from the order of the batch, which is random:

    - Let N labelled images lie at positions .5, 1.5, ... in the batch, and let p be that of a group's first one.
    - The first one lies behind p if all n do. For images placed one after the other, the i-th one finds N - i free
      positions, so P(first > p) is the product of 1 - p / (N - i) over i = 0 .. n - 1.
    - All factors are about equal to the one in the middle: P(first > p) = (1 - p / (N - (n - 1) / 2))^n.
    - The probability of exceeding a random number, taken at that number itself, is uniform (probability integral
      transform). So u = (1 - p / (N - (n - 1) / 2))^n.

    The images that contribute are the last ones of the group in the batch.
    """
    count = members.sum(dim=1)  # [B] n
    first = (known.cumsum(dim=0) - 0.5)[members.argmax(dim=1)]  # [B] p
    middle = (known.sum() - (count - 1) / 2).clamp_min(1)
    u = (1 - first / middle).clamp(0, 1) ** count
    later = members.triu(diagonal=1).sum(dim=1)  # [B] members behind each image
    return (later + 1 <= count**u).float()
