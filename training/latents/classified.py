"""Gaussian codes with a classifier of a discrete attribute; classes lie at the centroids of their means."""

from __future__ import annotations

from torch import Tensor, nn

from attributes import Attribute
from training.latents.base import DiscreteLatent, Posterior, cross_entropy


def classifier(inputs: int, hidden: tuple[int, ...], classes: int) -> nn.Sequential:
    """A small classifier [B, inputs] -> logits [B, classes]."""
    layers: list[nn.Module] = []
    for before, after in zip((inputs, *hidden), hidden, strict=False):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], classes))


class Guided(DiscreteLatent):
    """Gaussian codes whose sample, not mean, a small classifier gets in training (github.com/iliya-malecki/vaes).

    While the classifier's weight is high, classes keep apart in latent space. As it falls, their regions come to touch.
    """

    def __init__(self, attribute: Attribute, length: int, hidden: tuple[int, ...]) -> None:
        super().__init__(attribute, length, length)
        self.classifier = classifier(length, hidden, attribute.size)

    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K] of the means."""
        logits: Tensor = self.classifier(q.mean)
        return logits.softmax(dim=1)

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy [B] of the sample, in nats."""
        return cross_entropy(self.classifier(sample), weights)


class Branched(DiscreteLatent):
    """Gaussian codes with a classifier beside them, both of the same features (chrisonntag's branched VAE)."""

    def __init__(self, attribute: Attribute, length: int, features: int, hidden: tuple[int, ...]) -> None:
        super().__init__(attribute, length, length)
        self.logit_count = attribute.size
        self.classifier = classifier(features, hidden, attribute.size)

    def class_logits(self, features: Tensor) -> Tensor:
        """Class logits [B, K] from features [B, F]."""
        logits: Tensor = self.classifier(features)
        return logits

    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K]."""
        return q.class_logits.softmax(dim=1)

    def distance(self, q: Posterior, sample: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy [B] of the classifier, in nats."""
        return cross_entropy(q.class_logits, weights)
