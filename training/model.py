"""The recipe of a system, and the model that it builds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from attributes import Attributes
from training.adversary import Adversary
from training.latents.base import Latent, Posterior
from training.latents.space import Labels, Space
from training.losses import ForwardOutput, Loss
from training.networks.decoders import Encoder, ImageShape
from training.optimizers import adam
from training.schedules import Plateau, Progress, Schedule


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Backbones + latent variables + loss terms + how long and how fast to learn: all that makes up a system."""

    encoder: Callable[[ImageShape], Encoder]
    """From the image shape; conditions come as further channels."""
    decoder: Callable[[int, ImageShape], nn.Module]
    """From the length of z and the image shape."""
    latents: Callable[[int, Attributes], Sequence[Latent]]
    """From the number of features and the data's attributes; raises ValueError where these don't suffice."""
    losses: tuple[Loss, ...]
    condition_classifier: Callable[[ImageShape], Encoder] | None = None
    """Backbone of the classifier that guesses conditions which are not told."""
    adversary: Callable[[Space], Adversary] | None = None
    """What learns beside the model, for terms that go by what it finds."""
    label_share: float = 0.0
    """Share of the labelled images that are decoded from their labels' place in latent space, not from a sample: so
    that the decoder learns exactly what /decode asks of it."""
    cycle_share: float = 0.0
    """Share of the labelled images that the encoder sees as the decoder draws them from their labels: so that /encode
    reads what /decode gave."""
    off_grid_share: float = 0.0
    """Share of the images that are drawn between grid values, where the data can: so that weights between two classes
    mean the value between them."""
    images: int
    """How many images to train on, repeats counted."""
    batch_size: int
    learning_rate: Schedule
    optimizer: Callable[[nn.Module, torch.dtype], Optimizer] = adam
    """From the model, and the precision that the hardware computes in."""
    plateau: Plateau | None = None
    """How the learning rate falls where the validation loss stands still, and when to stop early."""

    def __post_init__(self) -> None:
        peak = max(self.learning_rate(Progress(step, 1000)) for step in range(1000))
        if self.images < 1 or self.batch_size < 1 or not 0 < peak < math.inf:
            raise ValueError(
                f"a recipe needs at least one image and a positive learning rate; "
                f"got {self.images} images in batches of {self.batch_size} and a rate of {peak:g}"
            )
        for share in (self.label_share, self.cycle_share, self.off_grid_share):
            if not 0 <= share <= 1:
                raise ValueError(f"a share lies between 0 and 1, got {share}")


class StepNoise:
    """Everything random in one training step, a function of seed and step alone."""

    def __init__(self, seed: int, step: int) -> None:
        self._generator = torch.Generator().manual_seed(seed * 0x9E3779B1 + step & 0x7FFFFFFFFFFFFFFF)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, on the CPU."""
        return torch.randn(shape, generator=self._generator)

    def chosen(self, count: int, share: float) -> Tensor:
        """[B, 1] 1 with probability ``share``, else 0, on the CPU."""
        return (torch.rand(count, 1, generator=self._generator) < share).float()


# Earlier versions gave these modules other names; their checkpoints still hold them.
EARLIER_MODULES = {"reader.": "condition_classifier.", "critic.": "adversary."}


def _rename_earlier_modules(_model: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Give a checkpoint's entries the names that their modules have today."""
    for key in list(state):
        for earlier, current in EARLIER_MODULES.items():
            if key.startswith(prefix + earlier):
                state[prefix + current + key.removeprefix(prefix + earlier)] = state.pop(key)


class VAE(nn.Module):
    """Encoder, latent space and decoder over a data set's attributes; which ones, the recipe says."""

    def __init__(self, recipe: Recipe, attributes: Attributes, image: ImageShape) -> None:
        super().__init__()
        self.recipe = recipe
        self.image = image
        height, width, channels = image
        self.encoder = recipe.encoder(image)
        latents = recipe.latents(self.encoder.features, attributes)
        self.space = Space(self.encoder.features, attributes, latents)
        if told := sum(attribute.size for attribute in self.space.conditions):
            self.encoder = recipe.encoder((height, width, channels + told))
        self.decoder = recipe.decoder(self.space.length, image)
        self.condition_classifier = (
            self._classifier(recipe.condition_classifier(image), told) if recipe.condition_classifier and told else None
        )
        self.adversary = recipe.adversary(self.space) if recipe.adversary else None
        self.register_load_state_dict_pre_hook(_rename_earlier_modules)  # type: ignore[no-untyped-call]

    @staticmethod
    def _classifier(backbone: Encoder, classes: int) -> nn.Module:
        return nn.Sequential(backbone, nn.Linear(backbone.features, classes))

    def posterior(self, images: Tensor, labels: Labels) -> Posterior:
        """q(codes | image, conditions) of images [B, C, H, W]; conditions that are not known are guessed."""
        if self.condition_classifier is None:
            return self.space.posterior(self.encoder(images))
        guess = self.condition_classifier(images)
        condition = self.space.condition(guess, labels)
        height, width = images.shape[2:]
        told = condition[:, :, None, None].expand(-1, -1, height, width)
        return self.space.posterior(self.encoder(torch.cat([images, told], dim=1)), guess, condition)

    def forward(self, images: Tensor, labels: Labels, noise: StepNoise, progress: Progress) -> ForwardOutput:
        """One training pass over images [B, C, H, W]."""
        posterior = self.posterior(self._seen(images, labels), labels)
        draw = noise.normal(len(images), self.space.codes)
        chosen = noise.chosen(len(images), self.recipe.label_share)
        with torch.autocast(images.device.type, enabled=False):  # weights and z keep full precision
            sample = self.space.sample(posterior, draw.to(images.device), labels)
            place, settled = self.space.place(labels)
            z = torch.lerp(sample, place, settled * chosen.to(images.device))  # [B, D]
        return ForwardOutput(images, self.decoder(z), posterior, sample, labels, self.space, progress, self.adversary)

    @torch.no_grad()
    def _seen(self, images: Tensor, labels: Labels) -> Tensor:
        """What the encoder gets for images: the first few as the decoder draws them now, where labels tell all."""
        count = int(self.recipe.cycle_share * len(images))
        if not count:
            return images
        with torch.autocast(images.device.type, enabled=False):
            z, settled = self.space.place(Labels(*(each[:count] for each in labels)))
        complete = settled.all(dim=1)[:, None, None, None]
        return torch.cat([torch.where(complete, self.decode(z), images[:count]), images[count:]])

    def encode(self, images: Tensor, labels: Labels | None = None) -> dict[str, Tensor]:
        """``z`` [B, D], ``weights`` [B, sum K], ``mean`` and ``logvar`` [B, L] of images [B, C, H, W].

        ``labels`` tell conditions; nothing else of them is looked at.
        """
        posterior = self.posterior(images, self.unlabelled(images) if labels is None else labels)
        return {
            "z": self.space.point(posterior),
            "weights": self.space.weights(posterior),
            "mean": posterior.mean,
            "logvar": posterior.logvar,
        }

    def unlabelled(self, images: Tensor) -> Labels:
        """The labels of images of which nothing is known."""
        attributes, count = self.space.attributes, images.shape[0]  # len() would fix the batch size of what is exported
        return Labels(images.new_zeros(count, attributes.total), images.new_zeros(count, len(attributes)))

    def decode(self, z: Tensor) -> Tensor:
        """Images [B, C, H, W] in 0..1 of z [B, D]."""
        return torch.sigmoid(self.decoder(z).float())
