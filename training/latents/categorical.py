"""Latent variables: one class per idea, from a posterior to a sample, a point, and to and from attribute weights.

``sample`` is for training only; ``point`` is deterministic and the only path that is exported. Each latent variable
owns some dimensions of z, and where it stands for a discrete attribute, each class has a row there: z = weights @ rows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attributes import Attribute, Mixing

RANGE = (0.005, 0.995)
"""Quantiles of a free latent's codes that bound its usual range."""
BEYOND = 10.0
"""How far its limits lie beyond that range: so many widths of it, and so many standard deviations of the prior."""


class Posterior(NamedTuple):
    """What an encoder says of a batch: a diagonal Gaussian over the codes, and of some systems class scores."""

    mean: Tensor
    """[B, L]."""
    logvar: Tensor
    """[B, L]."""
    scores: Tensor
    """[B, S] logits of classifiers that see more than the codes."""
    condition: Tensor
    """[B, S'] weights that the encoder was told, or guessed itself."""


class Label(NamedTuple):
    """What is known of one attribute in a batch."""

    target: Tensor
    """[B, K] weights over its classes, or values of a continuous attribute."""
    known: Tensor
    """[B] 1 where it is labelled, else 0."""


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mean, exp(logvar)) from N(0, 1) for each code, in nats (Kingma and Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Of weights [B, K] under logits [B, K], in nats [B]."""
    return -(target * logits.log_softmax(dim=1)).sum(dim=1)


def temperature(logits: Tensor, target: Tensor) -> float:
    """What to divide logits [N, K] by for the least cross-entropy with weights [N, K]: .1 to 10 (Guo et al. 2017).

    It is convex in the sharpness 1 / T, so that halving finds it.
    """
    low, high = 0.1, 10.0
    for _ in range(30):
        sharpness = math.sqrt(low * high)
        slope = (((sharpness * logits).softmax(dim=1) - target) * logits).sum()
        low, high = (low, sharpness) if slope > 0 else (sharpness, high)
    return 1 / math.sqrt(low * high)


class Latent(nn.Module, ABC):
    """A latent variable: ``codes`` Gaussian codes in the posterior, ``length`` dimensions of z."""

    attribute: Attribute | None = None
    """Whose dimensions these are; None where they are continuous attributes of their own."""
    codes: int
    length: int
    scores = 0
    conditions = 0
    mixing: Mixing = "linear"

    @property
    def width(self) -> int:
        """How many weights it has: the attribute's classes, or one for each continuous attribute."""
        return self.length if self.attribute is None else self.attribute.size

    def logits(self, features: Tensor) -> Tensor:
        """Scores [B, S] from features [B, F]."""
        return features[:, :0]

    def sample(self, q: Posterior, noise: Tensor, label: Label | None) -> Tensor:
        """z [B, D] from standard normal noise [B, L]; ``label`` tells which images belong together."""
        return q.mean + (q.logvar / 2).exp() * noise

    def point(self, q: Posterior) -> Tensor:
        """The z [B, D] that stands for the image."""
        return q.mean

    @abstractmethod
    def weights(self, q: Posterior) -> Tensor:
        """Class probabilities [B, K], or values of continuous attributes [B, number of them]."""

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor | None:
        """How far it is from target weights [B, K]: [B], nats or squared distance; None where none is supervised."""
        return None

    def kl(self, q: Posterior, label: Label | None) -> Tensor:
        """KL(q || N(0, 1)) summed over its codes, [B], in nats."""
        return gaussian_kl(q.mean, q.logvar).sum(dim=1)

    @property
    def fixed_rows(self) -> tuple[Tensor, Tensor] | None:
        """Rows [K, D] and offset [D] where they are settled from the start; None where they are measured."""
        return None

    @property
    def rows(self) -> tuple[Tensor, Tensor]:
        """Rows [K, D] and offset [D]: z = weights @ rows + offset."""
        assert self.fixed_rows is not None
        return self.fixed_rows

    def measure(self, q: Posterior, label: Label | None) -> None:
        """Settle what only a trained encoder can tell, from all that it says of some rows of the training data."""


class GaussianLogits(Latent):
    """One Gaussian code per class; cross-entropy on its means. What the decoder gets of it, subclasses say.

    A trained encoder's means are divided by a temperature before they count as probabilities, so that these are
    neither too modest nor too bold.
    """

    temperature: Tensor

    def __init__(self, attribute: Attribute) -> None:
        super().__init__()
        self.attribute = attribute
        self.codes = attribute.size
        self.register_buffer("temperature", torch.ones(()))

    def weights(self, q: Posterior) -> Tensor:
        return (q.mean / self.temperature).softmax(dim=1)

    def measure(self, q: Posterior, label: Label | None) -> None:
        assert label is not None
        known = label.known > 0
        if known.any():
            self.temperature.fill_(temperature(q.mean[known], label.target[known]))

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(q.mean, target)


def _aliases(attribute: Attribute) -> Tensor:
    return torch.eye(attribute.size)[torch.arange(attribute.size) % attribute.classes]


class AliasFolding(Latent):
    """A latent variable with a dimension of z per class, where an alias lies at the class that it stands for."""

    folding: Tensor
    """[K, K] 1 where a class (row) is the value of another (column): itself, or what it is an alias of."""

    def init_folding(self, attribute: Attribute) -> None:
        """Give each class its dimension."""
        self.attribute = attribute
        self.length = attribute.size
        self.register_buffer("folding", _aliases(attribute), persistent=False)

    @property
    def fixed_rows(self) -> tuple[Tensor, Tensor]:
        return self.folding, self.folding.new_zeros(self.length)


class Softmax(AliasFolding, GaussianLogits):
    """The decoder gets the softmax of the sample: any mixture of classes has a place.

    The softmax space of github.com/fostiropoulos/ssvae; a circular attribute's aliases are counted for the classes
    that they stand for before anything is decoded.
    """

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(attribute)
        self.init_folding(attribute)

    def sample(self, q: Posterior, noise: Tensor, label: Label | None) -> Tensor:
        return super().sample(q, noise, label).softmax(dim=1) @ self.folding

    def point(self, q: Posterior) -> Tensor:
        return self.weights(q) @ self.folding


class Centroids(Latent):
    """A latent variable whose rows are the means of its classes, measured on data."""

    centroids: Tensor
    """[K, D]."""

    def init_centroids(self, attribute: Attribute) -> None:
        """Make room for the rows."""
        self.attribute = attribute
        self.register_buffer("centroids", torch.zeros(attribute.size, self.length))

    @property
    def rows(self) -> tuple[Tensor, Tensor]:
        return self.centroids, self.centroids.new_zeros(self.length)

    def measure(self, q: Posterior, label: Label | None) -> None:
        assert label is not None
        self.fit_centroids(q.mean, label, torch.ones_like(q.mean))
        super().measure(q, label)

    def fit_centroids(self, mean: Tensor, label: Label, precision: Tensor) -> None:
        """Rows from means [N, D], each counted by its precision [N, D] and by its weight on the class.

        A class that no row is labelled with gets the mean of all.
        """
        target = label.target * label.known[:, None]  # [N, K]
        assert self.attribute is not None
        target = target @ _aliases(self.attribute).to(target)
        total = target.T @ precision  # [K, D]
        everywhere = (precision * mean).sum(dim=0) / precision.sum(dim=0)
        rows = torch.where(total > 0, (target.T @ (precision * mean)) / total.clamp_min(1e-30), everywhere)
        self.centroids.copy_(rows[torch.arange(len(rows)) % self.attribute.classes])


class Sampled(Centroids, GaussianLogits):
    """The decoder gets the sample itself (ssvae's ``sampled`` space); a class's place is the centroid of its means."""

    def __init__(self, attribute: Attribute) -> None:
        super().__init__(attribute)
        self.length = attribute.size
        self.init_centroids(attribute)


class OneDimensional(Latent):
    """A latent variable with one dimension of z, where each class has its number."""

    places: Tensor
    """[K, 1] of each class."""
    length = 1

    def init_positions(self, attribute: Attribute, scale: float, offset: float = 0.0) -> None:
        """Number the classes, aliases as what they stand for: scale * index + offset.

        Between two classes' numbers may lie the number of a third where they have no order, or across the seam of a
        circle: these are not mixed.
        """
        self.attribute = attribute
        self.mixing = "nearest" if attribute.kind in ("nominal", "circular") else "linear"
        index = torch.arange(attribute.size) % attribute.classes
        self.register_buffer("places", scale * index[:, None] + offset, persistent=False)

    @property
    def fixed_rows(self) -> tuple[Tensor, Tensor]:
        return self.places, self.places.new_zeros(1)


class Argmax(OneDimensional, GaussianLogits):
    """The decoder gets the index of the largest sample, or with ``scaled`` that share of the last index.

    ssvae's ``argmax`` and ``argmax_norm``: nothing that the decoder learns reaches the encoder, unless
    ``straight_through``: then the gradient is that of the expected index (Bengio et al. 2013).
    """

    def __init__(self, attribute: Attribute, scaled: bool = False, straight_through: bool = False) -> None:
        super().__init__(attribute)
        self.straight_through = straight_through
        self.init_positions(attribute, 1 / max(attribute.size - 1, 1) if scaled else 1.0)

    def sample(self, q: Posterior, noise: Tensor, label: Label | None) -> Tensor:
        code = super().sample(q, noise, label)
        hard = self.places[code.argmax(dim=1)]
        if not self.straight_through:
            return hard
        expected = code.softmax(dim=1) @ self.places
        return hard + expected - expected.detach()

    def point(self, q: Posterior) -> Tensor:
        return self.places[q.mean.argmax(dim=1)]


class IndexRegression(OneDimensional):
    """One real number for a whole discrete attribute; squared distance of its mean to the label (ssvae's ``l2``).

    Classes lie evenly from -sqrt(3) to sqrt(3): mean 0 and variance 1 if all are as frequent, like the prior.
    """

    codes = 1

    def __init__(self, attribute: Attribute) -> None:
        super().__init__()
        self.init_positions(attribute, 2 * math.sqrt(3) / max(attribute.classes - 1, 1), -math.sqrt(3))

    def weights(self, q: Posterior) -> Tensor:
        """The number's place between two neighbouring classes."""
        assert self.attribute is not None
        last = self.attribute.classes - 1
        position = ((q.mean / math.sqrt(3) + 1) / 2 * last).clamp(0, last)  # [B, 1]
        index = torch.arange(self.attribute.size, device=position.device)
        return F.relu(1 - (position - index).abs())

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        return (q.mean - target @ self.places).square().sum(dim=1)


class Value(Latent):
    """A supervised continuous attribute: one Gaussian code, its value scaled to 0..1, by squared distance."""

    span: Tensor
    codes = length = 1

    def __init__(self, attribute: Attribute) -> None:
        super().__init__()
        self.attribute = attribute
        self.register_buffer("span", torch.tensor(attribute.bounds), persistent=False)

    def weights(self, q: Posterior) -> Tensor:
        low, high = self.span.unbind()
        return low + (high - low) * q.mean

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        low, high = self.span.unbind()
        return (q.mean - (target - low) / (high - low)).square().sum(dim=1)

    @property
    def fixed_rows(self) -> tuple[Tensor, Tensor]:
        low, high = self.span.unbind()
        return (1 / (high - low)).view(1, 1), (-low / (high - low)).view(1)


class Unsupervised(Latent):
    """``length`` Gaussian codes that no label tells about: each is a continuous attribute of its own."""

    extent: Tensor
    """[2, D] the range of the codes' means on data."""
    middle: Tensor
    """[D] their medians."""

    def __init__(self, length: int, prefix: str = "z") -> None:
        super().__init__()
        self.codes = self.length = length
        self.prefix = prefix
        self.follows: tuple[str | None, ...] = (None,) * length
        self.register_buffer("extent", torch.tensor([[-1.0], [1.0]]).repeat(1, length))
        self.register_buffer("middle", torch.zeros(length))

    def weights(self, q: Posterior) -> Tensor:
        return q.mean

    @property
    def fixed_rows(self) -> tuple[Tensor, Tensor]:
        return torch.eye(self.length, device=self.extent.device), self.extent.new_zeros(self.length)

    def measure(self, q: Posterior, label: Label | None) -> None:
        quantiles = torch.tensor([RANGE[0], 0.5, RANGE[1]], device=q.mean.device)
        low, middle, high = q.mean.quantile(quantiles, dim=0)
        least = 1e-3  # an idle latent's means hardly differ
        self.extent.copy_(torch.stack([torch.minimum(low, middle - least), torch.maximum(high, middle + least)]))
        self.middle.copy_(middle)

    def attributes(self) -> list[Attribute]:
        """Its dimensions as attributes, named after the factor that each follows."""
        listed = []
        for i, ((low, high), middle) in enumerate(zip(self.extent.T.tolist(), self.middle.tolist(), strict=True)):
            beyond = BEYOND * (high - low + 1)
            name = f"{self.prefix}{i}" + (f"_{self.follows[i]}" if self.follows[i] else "")
            limits = (low - beyond, high + beyond)
            listed.append(Attribute(name=name, kind="continuous", range=(low, high), limits=limits, default=middle))
        return listed

    def get_extra_state(self) -> tuple[str | None, ...]:
        """The factors' names, which a checkpoint keeps."""
        return self.follows

    def set_extra_state(self, state: tuple[str | None, ...]) -> None:
        """Take the names of a checkpoint."""
        self.follows = tuple(state)


class Guided(Centroids):
    """Gaussian codes whose SAMPLE a small classifier reads (github.com/iliya-malecki/vaes).

    While the classifier counts, classes keep regions of their own; as its weight falls, these come to share borders.
    """

    def __init__(self, attribute: Attribute, length: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.codes = self.length = length
        self.init_centroids(attribute)
        self.classifier = classifier(length, hidden, attribute.size)

    def weights(self, q: Posterior) -> Tensor:
        scores: Tensor = self.classifier(q.mean)
        return scores.softmax(dim=1)

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(self.classifier(sample), target)


class Branched(Centroids):
    """Gaussian codes with a classifier beside them, both from the same features (chrisonntag's branched VAE)."""

    def __init__(self, attribute: Attribute, length: int, features: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.codes = self.length = length
        self.scores = attribute.size
        self.init_centroids(attribute)
        self.classifier = classifier(features, hidden, attribute.size)

    def logits(self, features: Tensor) -> Tensor:
        scores: Tensor = self.classifier(features)
        return scores

    def weights(self, q: Posterior) -> Tensor:
        return q.scores.softmax(dim=1)

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(q.scores, target)


class Condition(AliasFolding):
    """An attribute that encoder and decoder are told: p(z | x, c) and p(x | z, c) (Sohn, Lee and Yan 2015).

    Where it is not known, a classifier of images guesses it, trained in the same run by cross-entropy.
    """

    codes = 0

    def __init__(self, attribute: Attribute) -> None:
        super().__init__()
        self.init_folding(attribute)
        self.scores = self.conditions = attribute.size

    def sample(self, q: Posterior, noise: Tensor, label: Label | None) -> Tensor:
        return self.point(q)

    def point(self, q: Posterior) -> Tensor:
        return q.condition @ self.folding

    def weights(self, q: Posterior) -> Tensor:
        return q.condition

    def distance(self, q: Posterior, sample: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(q.scores, target)


class Evidence(Centroids):
    """A class that all images of a group share: their product of Gaussians (Bouchacourt et al. 2018).

    1/V = sum 1/var, M = V sum mean/var, one draw and one KL per group; images without a label are groups of one. Only
    groups are known, no head learns the class: weights are proportional to exp(-|mean - row|^2 / 2 tau^2), with the
    groups' evidence on data as rows. ``detached`` cuts the gradient through the evidence, as
    github.com/ananyahjha93/multi-level-vae does. With ``subgroups``, a group's evidence comes from some of its images
    in training, as often from one or two as from half of them or all, and stands for the others too: so the decoder
    knows the code of a single image, and that code tells nothing of another image but its class.
    """

    tau: Tensor

    def __init__(self, attribute: Attribute, length: int, detached: bool = False, subgroups: bool = False) -> None:
        super().__init__()
        self.codes = self.length = length
        self.detached, self.subgroups = detached, subgroups
        self.init_centroids(attribute)
        self.register_buffer("tau", torch.ones(()))

    def sample(self, q: Posterior, noise: Tensor, label: Label | None) -> Tensor:
        assert label is not None
        mean, logvar, members = self._evidence(q, label)
        first = members.argmax(dim=1)  # of each image's group, whose noise all of it takes
        return mean + (logvar / 2).exp() * noise[first]

    def kl(self, q: Posterior, label: Label | None) -> Tensor:
        assert label is not None
        mean, logvar, members = self._evidence(q, label)
        return gaussian_kl(mean, logvar).sum(dim=1) / members.sum(dim=1)

    def _evidence(self, q: Posterior, label: Label) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log-variance [B, L] of each image's group, and who is in it [B, B]."""
        mean, logvar = (q.mean.detach(), q.logvar.detach()) if self.detached else (q.mean, q.logvar)
        group = label.target.argmax(dim=1)
        both = label.known[:, None] * label.known
        members = ((group[:, None] == group) * both).clamp_min(torch.eye(len(group), device=both.device))
        heard = members * self._witnesses(members, label.known) if self.subgroups else members
        precision = (-logvar).exp()
        total = heard @ precision
        return heard @ (precision * mean) / total, -total.log(), members

    @staticmethod
    def _witnesses(members: Tensor, known: Tensor) -> Tensor:
        """[B] 1 for the images that their group's evidence comes from: of n members, n to the power of u, rounded down.

        A batch's order is random, so it serves as the die: the first of n members among N images lies at a place p
        with (1 - p / (N - (n - 1) / 2))^n about uniform between 0 and 1, which says how many there are: the last ones.
        """
        count = members.sum(dim=1)
        place = (known.cumsum(dim=0) - 0.5)[members.argmax(dim=1)]
        places = (known.sum() - (count - 1) / 2).clamp_min(1)
        uniform = (1 - place / places).clamp(0, 1) ** count
        after = members.triu(diagonal=1).sum(dim=1)
        return (after + 1 <= count**uniform).float()

    def weights(self, q: Posterior) -> Tensor:
        return self._logits(q.mean, self.tau).softmax(dim=1)

    def _logits(self, mean: Tensor, tau: Tensor) -> Tensor:
        """[B, K] of classes at places [B, L]."""
        return -(mean[:, None] - self.centroids).square().sum(dim=2) / (2 * tau**2)

    def measure(self, q: Posterior, label: Label | None) -> None:
        """Rows, and the tau under which the labels are most likely."""
        assert label is not None
        self.fit_centroids(q.mean, label, (-q.logvar).exp())
        widths = torch.logspace(-2, 1, 61, device=q.mean.device)
        losses = [(cross_entropy(self._logits(q.mean, tau), label.target) * label.known).sum() for tau in widths]
        self.tau.copy_(widths[torch.stack(losses).argmin()])


def classifier(inputs: int, hidden: tuple[int, ...], classes: int) -> nn.Sequential:
    """A small classifier [B, inputs] -> logits [B, classes]."""
    layers: list[nn.Module] = []
    for before, after in zip((inputs, *hidden), hidden, strict=False):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], classes))
