"""A latent space: all latent variables of a model, what they share, and the codebook that they make together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from attributes import Attribute, Attributes, Codebook, Group, Part
from training.latents.base import Centroids, Condition, Evidence, GaussianLogits, Label, Latent, Posterior, Unsupervised

Kind = TypeVar("Kind", bound=Latent)


class Labels(NamedTuple):
    """What is known of a batch."""

    targets: Tensor
    """[B, sum K] weights over the data's attributes; whatever is not known is to be left out."""
    known: Tensor
    """[B, A] 1 where an attribute is labelled, else 0."""


class Space(nn.Module):
    """The latent variables of a model over a data set's ``attributes``, heads for their codes included.

    ``length`` is D, the length of z; ``codes`` is L, that of the posterior. Raises ValueError where two latent
    variables would be one attribute.
    """

    def __init__(self, features: int, attributes: Attributes, latents: Sequence[Latent]) -> None:
        super().__init__()
        self.attributes = attributes
        self.latents = nn.ModuleList(latents)
        self.length = sum(latent.length for latent in latents)
        self.codes = sum(latent.codes for latent in latents)
        self.heads = nn.Linear(features, 2 * self.codes) if self.codes else None
        self.vocabulary()

    def each(self) -> list[Latent]:
        """Its latent variables, in order."""
        return [latent for latent in self.latents if isinstance(latent, Latent)]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Those of a kind."""
        return [latent for latent in self.latents if isinstance(latent, kind)]

    def vocabulary(self) -> Attributes:
        """The attributes that z stands for, as known up to now."""
        listed: list[Attribute] = []
        for latent in self.each():
            listed += latent.attributes() if isinstance(latent, Unsupervised) else [_owner(latent)]
        return Attributes(listed)

    @property
    def conditions(self) -> list[Attribute]:
        """The attributes that the encoder may be told."""
        return [_owner(latent) for latent in self.of(Condition)]

    def posterior(self, features: Tensor, guess: Tensor | None = None, condition: Tensor | None = None) -> Posterior:
        """q(codes | image) from features [B, F], and what was guessed and told of the conditions, if there are any."""
        codes = features[:, :0] if self.heads is None else self.heads(features)
        mean, logvar = codes.float().chunk(2, dim=1)
        nothing = mean[:, :0]
        guesses = iter(self._guesses(guess))
        scores = [
            next(guesses) if isinstance(latent, Condition) else latent.logits(features).float()
            for latent in self.each()
        ]
        return Posterior(
            mean, logvar, torch.cat([nothing, *scores], dim=1), nothing if condition is None else condition
        )

    def condition(self, guess: Tensor, labels: Labels) -> Tensor:
        """Weights [B, sum K of the conditions]: the labels where they are known, else what logits ``guess`` say."""
        chosen = []
        for logits, latent in zip(self._guesses(guess), self.of(Condition), strict=True):
            label = self.label(latent, labels)
            assert label is not None
            chosen.append(torch.lerp(logits.softmax(dim=1), label.target, label.known[:, None]))
        return torch.cat(chosen, dim=1)

    def _guesses(self, guess: Tensor | None) -> tuple[Tensor, ...]:
        """The logits of each condition, none where there is no guess."""
        return () if guess is None else split(guess.float(), [latent.scores for latent in self.of(Condition)])

    def means(self, q: Posterior, kind: type[Latent]) -> Tensor:
        """The means [B, L'] of the codes of its latent variables of a kind."""
        parts = zip(self._split(q), self.each(), strict=True)
        return torch.cat([part.mean for part, latent in parts if isinstance(latent, kind)], dim=1)

    def sample(self, q: Posterior, noise: Tensor, labels: Labels) -> Tensor:
        """z [B, D] from standard normal noise [B, L]."""
        ends = list(accumulate(latent.codes for latent in self.each()))
        drawn = zip(self._split(q), self.each(), ends, strict=True)
        return torch.cat(
            [
                latent.sample(part, noise[:, end - latent.codes : end], self.label(latent, labels))
                for part, latent, end in drawn
            ],
            dim=1,
        )

    def point(self, q: Posterior) -> Tensor:
        """The z [B, D] that stands for the image."""
        return torch.cat([latent.point(part) for part, latent in zip(self._split(q), self.each(), strict=True)], dim=1)

    def weights(self, q: Posterior) -> Tensor:
        """Weights [B, sum K] over the vocabulary."""
        return torch.cat(
            [latent.weights(part) for part, latent in zip(self._split(q), self.each(), strict=True)], dim=1
        )

    def distances(self, q: Posterior, sample: Tensor, labels: Labels) -> Tensor:
        """How far each supervised latent variable is from its labels, 0 where there are none: [B, S]."""
        parts = zip(self._split(q), split(sample, [latent.length for latent in self.each()]), strict=True)
        listed = []
        for (part, own), latent in zip(parts, self.each(), strict=True):
            label = self.label(latent, labels)
            distance = None if label is None else latent.distance(part, own, label.target)
            if label is not None and distance is not None:
                listed.append(distance * label.known)
        return torch.stack(listed, dim=1) if listed else sample[:, :0]

    def kl(self, q: Posterior, labels: Labels) -> Tensor:
        """KL(q || N(0, 1)) of each latent variable, [B, number of them], in nats."""
        parts = zip(self._split(q), self.each(), strict=True)
        return torch.stack([latent.kl(part, self.label(latent, labels)) for part, latent in parts], dim=1)

    def place(self, labels: Labels) -> tuple[Tensor, Tensor]:
        """z [B, D] of labels, and where [B, D] that is settled: known, and not for data to measure; elsewhere 0."""
        places, settled = [], []
        for latent in self.each():
            label, rows = self.label(latent, labels), latent.fixed_rows
            if label is None or rows is None:
                places.append(labels.targets.new_zeros(len(labels.targets), latent.length))
                settled.append(torch.zeros_like(places[-1]))
            else:
                places.append(label.target @ rows[0] + rows[1])
                settled.append(label.known[:, None].expand(-1, latent.length))
        return torch.cat(places, dim=1), torch.cat(settled, dim=1)

    def label(self, latent: Latent, labels: Labels) -> Label | None:
        """What labels say of a latent variable; None of one that stands for no attribute of the data."""
        if latent.attribute is None:
            return None
        index = [attribute.name for attribute in self.attributes].index(latent.attribute.name)
        return Label(labels.targets[:, self.attributes.columns(latent.attribute.name)], labels.known[:, index])

    def told(self, weights: Tensor, known: Tensor) -> Labels:
        """The labels that tell conditions, from weights [B, sum K] over the vocabulary, known [B, 1] or not."""
        own = dict(zip(self.each(), split(weights, [latent.width for latent in self.each()]), strict=True))
        given = {_owner(latent).name: own[latent] for latent in self.of(Condition)}
        count = weights.shape[0]  # len() would fix the batch size of what is exported
        targets = [given.get(each.name, weights.new_zeros(count, each.size)) for each in self.attributes]
        mask = [known if each.name in given else torch.zeros_like(known) for each in self.attributes]
        return Labels(torch.cat(targets, dim=1), torch.cat(mask, dim=1))

    @property
    def measured(self) -> bool:
        """Whether it has anything for ``measure`` to settle."""
        return any(isinstance(latent, Centroids | Unsupervised | GaussianLogits) for latent in self.latents)

    @torch.no_grad()
    def measure(self, q: Posterior, labels: Labels) -> None:
        """Settle what only a trained encoder can tell: rows, temperatures, ranges, the factor a free latent follows."""
        for part, latent in zip(self._split(q), self.each(), strict=True):
            latent.measure(part, self.label(latent, labels))

    def codebook(self) -> Codebook:
        """Where the weights of its vocabulary sit in z."""
        vocabulary = self.vocabulary()
        matrix, offset = torch.zeros(vocabulary.total, self.length), torch.zeros(self.length)
        parts: list[Part] = []
        row = column = code = 0
        for latent in self.each():
            own, shift = latent.rows
            matrix[row : row + len(own), column : column + latent.length] = own.cpu()
            offset[column : column + latent.length] = shift.cpu()
            if isinstance(latent, Unsupervised):
                names = [attribute.name for attribute in latent.attributes()]
                parts += [Part(name, column + i, column + i + 1, code=code + i) for i, name in enumerate(names)]
            else:
                first = code if latent.codes else None
                parts.append(Part(_owner(latent).name, column, column + latent.length, latent.mixing, first))
            row, column, code = row + len(own), column + latent.length, code + latent.codes
        return Codebook(
            vocabulary,
            tuple(parts),
            matrix.numpy(),
            offset.numpy(),
            tuple(attribute.name for attribute in self.conditions),
            next((Group(_owner(latent).name, float(latent.tau)) for latent in self.of(Evidence)), None),
        )

    def _split(self, q: Posterior) -> list[Posterior]:
        """The posterior of each latent variable."""
        codes = [latent.codes for latent in self.each()]
        scores = [latent.scores for latent in self.each()]
        conditions = [latent.conditions for latent in self.each()]
        sizes = (codes, codes, scores, conditions)
        return [Posterior(*parts) for parts in zip(*map(split, q, sizes), strict=True)]


def split(tensor: Tensor, sizes: list[int]) -> tuple[Tensor, ...]:
    """Columns [B, size] of each size."""
    return torch.split(tensor, sizes, dim=1)


def _owner(latent: Latent) -> Attribute:
    assert latent.attribute is not None
    return latent.attribute
