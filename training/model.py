"""The model that a recipe builds."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from attributes import Attributes
from training.latents import Posterior, Space, Targets
from training.losses import ForwardOutput
from training.networks import Encoder, ImageShape
from training.recipe import Recipe
from training.schedules import Progress

# Modules that had other names in earlier versions, whose checkpoints hold the first name of each pair.
EARLIER_MODULES = {"reader.": "condition_classifier.", "critic.": "adversary."}


class Encoding(NamedTuple):
    """What the encoder gives for a batch, as it is exported."""

    z: Tensor
    """[B, D]."""
    weights: Tensor
    """[B, sum K] over the vocabulary."""
    mean: Tensor
    """[B, L]."""
    logvar: Tensor
    """[B, L]."""


class StepNoise:
    """All random numbers of one training step, a function of seed and step alone."""

    def __init__(self, seed: int, step: int) -> None:
        self._generator = torch.Generator().manual_seed(seed * 0x9E3779B1 + step & 0x7FFFFFFFFFFFFFFF)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers of a shape, on the CPU."""
        return torch.randn(shape, generator=self._generator)

    def bernoulli(self, count: int, probability: float) -> Tensor:
        """[B, 1] 1 with a probability, else 0, on the CPU."""
        return (torch.rand(count, 1, generator=self._generator) < probability).float()


class VAE(nn.Module):
    """The encoder, latent space and decoder of a recipe, over the attributes of a data set."""

    def __init__(self, recipe: Recipe, attributes: Attributes, image: ImageShape) -> None:
        super().__init__()
        self.recipe = recipe
        self.image = image
        height, width, channels = image
        self.encoder = recipe.encoder(image)
        latents = recipe.latents(self.encoder.features, attributes)
        self.space = Space(self.encoder.features, attributes, latents)
        condition_channels = sum(attribute.size for attribute in self.space.conditions)
        self.condition_classifier: nn.Module | None = None
        if condition_channels:
            self.encoder = recipe.encoder((height, width, channels + condition_channels))
        self.decoder = recipe.decoder(self.space.length, image)
        if condition_channels and recipe.condition_classifier:
            self.condition_classifier = _classifier(recipe.condition_classifier(image), condition_channels)
        self.adversary = recipe.adversary(self.space) if recipe.adversary else None
        self.register_load_state_dict_pre_hook(_rename_earlier_modules)  # type: ignore[no-untyped-call]

    def posterior(self, images: Tensor, targets: Targets) -> Posterior:
        """q(codes | image, conditions) of images [B, C, H, W]. Conditions that are not known are inferred."""
        if self.condition_classifier is None:
            return self.space.posterior(self.encoder(images))
        logits = self.condition_classifier(images)  # [B, sum K of the conditions]
        condition = self.space.condition(logits, targets)
        height, width = images.shape[2:]
        channels = condition[:, :, None, None].expand(-1, -1, height, width)
        return self.space.posterior(self.encoder(torch.cat([images, channels], dim=1)), logits, condition)

    def forward(self, images: Tensor, targets: Targets, noise: StepNoise, progress: Progress) -> ForwardOutput:
        """One training pass over images [B, C, H, W]."""
        posterior = self.posterior(self._replace_by_decoded(images, targets), targets)
        draw = noise.normal(len(images), self.space.codes)
        chosen = noise.bernoulli(len(images), self.recipe.label_share)
        with torch.autocast(images.device.type, enabled=False):  # weights and z keep full precision
            sample = self.space.sample(posterior, draw.to(images.device), targets)
            embedded, mask = self.space.embed(targets)
            z = torch.lerp(sample, embedded, mask * chosen.to(images.device))  # [B, D]
        return ForwardOutput(images, self.decoder(z), posterior, sample, targets, self.space, progress, self.adversary)

    @torch.no_grad()
    def _replace_by_decoded(self, images: Tensor, targets: Targets) -> Tensor:
        """Images [B, C, H, W] of which ``cycle_share`` are replaced by what the decoder draws from their targets.

        An image whose targets don't determine all of z stays as it is.
        """
        count = int(self.recipe.cycle_share * len(images))
        if not count:
            return images
        with torch.autocast(images.device.type, enabled=False):
            z, mask = self.space.embed(Targets(*(each[:count] for each in targets)))
        complete = mask.all(dim=1)[:, None, None, None]
        return torch.cat([torch.where(complete, self.decode(z), images[:count]), images[count:]])

    def encode(self, images: Tensor, targets: Targets | None = None) -> Encoding:
        """z, weights and posterior of images [B, C, H, W]. Of ``targets`` only the conditions are used."""
        posterior = self.posterior(images, self.no_targets(images) if targets is None else targets)
        return Encoding(self.space.point(posterior), self.space.weights(posterior), posterior.mean, posterior.logvar)

    def no_targets(self, images: Tensor) -> Targets:
        """The targets of images [B, C, H, W] of which nothing is known."""
        attributes, count = self.space.attributes, images.shape[0]  # len() would fix the batch size of what is exported
        return Targets(images.new_zeros(count, attributes.total), images.new_zeros(count, len(attributes)))

    def decode(self, z: Tensor) -> Tensor:
        """Images [B, C, H, W] in 0..1 of z [B, D]."""
        return torch.sigmoid(self.decoder(z).float())


def _classifier(backbone: Encoder, classes: int) -> nn.Module:
    """Class logits [B, K] from images [B, C, H, W]."""
    return nn.Sequential(backbone, nn.Linear(backbone.features, classes))


def _rename_earlier_modules(_model: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Give the entries of a checkpoint the names that their modules have today."""
    for key in list(state):
        for earlier, current in EARLIER_MODULES.items():
            if key.startswith(prefix + earlier):
                state[prefix + current + key.removeprefix(prefix + earlier)] = state.pop(key)
