"""A latent space: all latent variables of a model, the heads of their codes, and their common codebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from attributes import Attribute, Attributes, Codebook, Group, Part
from training.latents.base import Latent, Posterior, Target
from training.latents.conditional import Condition
from training.latents.evidence import Evidence
from training.latents.free import Unsupervised

LatentType = TypeVar("LatentType", bound=Latent)


class Targets(NamedTuple):
    """What is known of all attributes of the data in a batch."""

    weights: Tensor
    """[B, sum K] weights over the data's attributes. Those of unknown attributes are not to be used."""
    known: Tensor
    """[B, A] 1 where an attribute is labelled, else 0."""


class Space(nn.Module):
    """The latent variables of a model over a data set's ``attributes``, with the heads of their codes.

    ``length`` is D, the length of z. ``codes`` is L, the number of codes in the posterior. Raises ValueError if two
    latent variables stand for one attribute.
    """

    def __init__(self, features: int, attributes: Attributes, latents: Sequence[Latent]) -> None:
        super().__init__()
        self.attributes = attributes
        self.latents = nn.ModuleList(latents)
        self.length = sum(latent.length for latent in latents)
        self.codes = sum(latent.codes for latent in latents)
        self.heads = nn.Linear(features, 2 * self.codes) if self.codes else None
        self.vocabulary()  # raises ValueError

    def each(self) -> list[Latent]:
        """Its latent variables, in order."""
        return [latent for latent in self.latents if isinstance(latent, Latent)]

    def of(self, kind: type[LatentType]) -> list[LatentType]:
        """Its latent variables of a class, in order."""
        return [latent for latent in self.latents if isinstance(latent, kind)]

    def vocabulary(self) -> Attributes:
        """The attributes that z stands for. Names and ranges of free latents change with ``fit``."""
        listed: list[Attribute] = []
        for latent in self.each():
            listed += latent.attributes() if isinstance(latent, Unsupervised) else [_attribute_of(latent)]
        return Attributes(listed)

    @property
    def conditions(self) -> list[Attribute]:
        """The attributes that the encoder may be given."""
        return [_attribute_of(latent) for latent in self.of(Condition)]

    def posterior(
        self, features: Tensor, condition_logits: Tensor | None = None, condition: Tensor | None = None
    ) -> Posterior:
        """q(codes | image) from features [B, F].

        ``condition_logits`` [B, sum K of the conditions] and ``condition``, the weights that the encoder got, belong to
        models with conditions.
        """
        codes = features[:, :0] if self.heads is None else self.heads(features)
        mean, logvar = codes.float().chunk(2, dim=1)  # [B, L] each
        nothing = mean[:, :0]
        of_conditions = iter(self._split_by_condition(condition_logits))
        logits = [
            next(of_conditions) if isinstance(latent, Condition) else latent.class_logits(features).float()
            for latent in self.each()
        ]
        class_logits = torch.cat([nothing, *logits], dim=1)  # [B, S]
        return Posterior(mean, logvar, class_logits, nothing if condition is None else condition)

    def condition(self, logits: Tensor, targets: Targets) -> Tensor:
        """Weights [B, sum K of the conditions]: the targets where they are known, else the softmax of the logits."""
        chosen = []
        for own, latent in zip(self._split_by_condition(logits), self.of(Condition), strict=True):
            target = self.target_of(latent, targets)
            assert target is not None
            chosen.append(torch.lerp(own.softmax(dim=1), target.weights, target.known[:, None]))
        return torch.cat(chosen, dim=1)

    def _split_by_condition(self, logits: Tensor | None) -> tuple[Tensor, ...]:
        """The logits [B, K] of each condition."""
        return () if logits is None else _split(logits.float(), [latent.width for latent in self.of(Condition)])

    def means(self, q: Posterior, kind: type[Latent]) -> Tensor:
        """The means [B, L'] of the codes of its latent variables of a class."""
        return torch.cat([own.mean for latent, own in self._parts(q) if isinstance(latent, kind)], dim=1)

    def sample(self, q: Posterior, noise: Tensor, targets: Targets) -> Tensor:
        """z [B, D] from standard normal noise [B, L]."""
        ends = accumulate(latent.codes for latent in self.each())
        return torch.cat(
            [
                latent.sample(own, noise[:, end - latent.codes : end], self.target_of(latent, targets))
                for (latent, own), end in zip(self._parts(q), ends, strict=True)
            ],
            dim=1,
        )

    def point(self, q: Posterior) -> Tensor:
        """The z [B, D] that stands for the image."""
        return torch.cat([latent.point(own) for latent, own in self._parts(q)], dim=1)

    def weights(self, q: Posterior) -> Tensor:
        """Weights [B, sum K] over the vocabulary."""
        return torch.cat([latent.weights(own) for latent, own in self._parts(q)], dim=1)

    def distances(self, q: Posterior, sample: Tensor, targets: Targets) -> Tensor:
        """The loss [B, S] of each supervised latent variable against its targets, 0 where these are not known.

        ``sample`` [B, D] is the z that was drawn from the posterior.
        """
        samples = _split(sample, [latent.length for latent in self.each()])
        listed = []
        for (latent, own), own_sample in zip(self._parts(q), samples, strict=True):
            target = self.target_of(latent, targets)
            distance = None if target is None else latent.distance(own, own_sample, target.weights)
            if target is not None and distance is not None:
                listed.append(distance * target.known)
        return torch.stack(listed, dim=1) if listed else sample[:, :0]

    def kl(self, q: Posterior, targets: Targets) -> Tensor:
        """KL(q || N(0, 1)) of each latent variable, [B, number of them], in nats."""
        return torch.stack([latent.kl(own, self.target_of(latent, targets)) for latent, own in self._parts(q)], dim=1)

    def embed(self, targets: Targets) -> tuple[Tensor, Tensor]:
        """z [B, D] of targets, and a mask [B, D]: 1 where the targets determine z before training, else 0.

        They do where the attribute is known and its embedding is fixed. z is 0 where the embedding is not fixed.
        """
        z, mask = [], []
        for latent in self.each():
            target = self.target_of(latent, targets)
            if target is None or not latent.has_fixed_embedding:
                z.append(targets.weights.new_zeros(len(targets.weights), latent.length))
                mask.append(torch.zeros_like(z[-1]))
            else:
                matrix, offset = latent.embedding
                z.append(target.weights @ matrix + offset)
                mask.append(target.known[:, None].expand(-1, latent.length))
        return torch.cat(z, dim=1), torch.cat(mask, dim=1)

    def target_of(self, latent: Latent, targets: Targets) -> Target | None:
        """The target of one latent variable. None if it stands for no attribute of the data."""
        if latent.attribute is None:
            return None
        name = latent.attribute.name
        index = [attribute.name for attribute in self.attributes].index(name)
        return Target(targets.weights[:, self.attributes.columns(name)], targets.known[:, index])

    def condition_targets(self, weights: Tensor, known: Tensor) -> Targets:
        """Targets that hold the conditions only, from weights [B, sum K] over the vocabulary, known [B, 1] or not."""
        own = dict(zip(self.each(), _split(weights, [latent.width for latent in self.each()]), strict=True))
        given = {_attribute_of(latent).name: own[latent] for latent in self.of(Condition)}
        count = weights.shape[0]  # len() would fix the batch size of what is exported
        listed = [given.get(each.name, weights.new_zeros(count, each.size)) for each in self.attributes]
        masks = [known if each.name in given else torch.zeros_like(known) for each in self.attributes]
        return Targets(torch.cat(listed, dim=1), torch.cat(masks, dim=1))

    @property
    def needs_fit(self) -> bool:
        """Whether ``fit`` determines anything."""
        return any(latent.needs_fit for latent in self.each())

    @torch.no_grad()
    def fit(self, q: Posterior, targets: Targets) -> None:
        """Determine what depends on a trained encoder: centroids, temperatures and the ranges of free latents."""
        for latent, own in self._parts(q):
            latent.fit(own, self.target_of(latent, targets))

    def codebook(self) -> Codebook:
        """The map from weights over the vocabulary to z."""
        vocabulary = self.vocabulary()
        matrix, offset = torch.zeros(vocabulary.total, self.length), torch.zeros(self.length)
        parts: list[Part] = []
        row = column = code = 0
        for latent in self.each():
            own, shift = latent.embedding
            matrix[row : row + len(own), column : column + latent.length] = own.cpu()
            offset[column : column + latent.length] = shift.cpu()
            if isinstance(latent, Unsupervised):
                names = [attribute.name for attribute in latent.attributes()]
                parts += [Part(name, column + i, column + i + 1, code=code + i) for i, name in enumerate(names)]
            else:
                first = code if latent.codes else None
                parts.append(Part(_attribute_of(latent).name, column, column + latent.length, latent.mixing, first))
            row, column, code = row + len(own), column + latent.length, code + latent.codes
        return Codebook(
            vocabulary,
            tuple(parts),
            matrix.numpy(),
            offset.numpy(),
            tuple(attribute.name for attribute in self.conditions),
            next((Group(_attribute_of(latent).name, float(latent.tau)) for latent in self.of(Evidence)), None),
        )

    def _parts(self, q: Posterior) -> Iterator[tuple[Latent, Posterior]]:
        """Each latent variable with its part of the posterior."""
        latents = self.each()
        codes = [latent.codes for latent in latents]
        logits = [latent.logit_count for latent in latents]
        conditions = [latent.condition_count for latent in latents]
        columns = map(_split, q, (codes, codes, logits, conditions))
        return zip(latents, map(Posterior, *columns), strict=True)


def _split(tensor: Tensor, sizes: list[int]) -> tuple[Tensor, ...]:
    """The columns [B, size] of each size, in order."""
    return torch.split(tensor, sizes, dim=1)


def _attribute_of(latent: Latent) -> Attribute:
    assert latent.attribute is not None
    return latent.attribute
