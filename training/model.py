"""The recipe of a system, and the model that it builds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.attributes import Attributes
from training.latents import Latent
from training.nets import Encoder, ImageShape
from training.schedules import Schedule
from training.terms import Pass, Term


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Backbones + latent space + loss terms + how long and how fast to learn: all that makes up a system."""

    encoder: Callable[[ImageShape], Encoder]
    decoder: Callable[[int, ImageShape], nn.Module]
    """From the length of z and the image shape."""
    latent: Callable[[int, Attributes], Latent]
    """From the number of features and the attributes."""
    terms: tuple[Term, ...]
    label_share: float = 0.0
    """Share of the labelled images that are decoded from their labels' place in latent space, not from a sample: so
    that the decoder learns exactly what /decode asks of it."""
    round_trip_share: float = 0.0
    """Share of the labelled images that the encoder sees as the decoder draws them from their labels: so that /encode
    reads what /decode gave."""
    images: int
    """How many images to train on, repeats counted."""
    batch_size: int
    learning_rate: Schedule

    def __post_init__(self) -> None:
        peak = max(self.learning_rate(step / 1000) for step in range(1000))
        if self.images < 1 or self.batch_size < 1 or not 0 < peak < math.inf:
            raise ValueError(
                f"a recipe needs at least one image and a positive learning rate; "
                f"got {self.images} images in batches of {self.batch_size} and a rate of {peak:g}"
            )
        for share in (self.label_share, self.round_trip_share):
            if not 0 <= share <= 1:
                raise ValueError(f"a share lies between 0 and 1, got {share}")


class Noise:
    """Everything random in one training step, a function of seed and step alone."""

    def __init__(self, seed: int, step: int) -> None:
        self._generator = torch.Generator().manual_seed(seed * 0x9E3779B1 + step & 0x7FFFFFFFFFFFFFFF)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, on the CPU."""
        return torch.randn(shape, generator=self._generator)

    def chosen(self, count: int, share: float) -> Tensor:
        """[B, 1] 1 with probability ``share``, else 0, on the CPU."""
        return (torch.rand(count, 1, generator=self._generator) < share).float()


class VAE(nn.Module):
    """Encoder, latent space and decoder; which ones, the recipe says."""

    def __init__(self, recipe: Recipe, attributes: Attributes, image: ImageShape) -> None:
        super().__init__()
        self.recipe = recipe
        self.attributes = attributes
        self.image = image
        self.encoder = recipe.encoder(image)
        self.latent = recipe.latent(self.encoder.features, attributes)
        self.decoder = recipe.decoder(self.latent.length, image)

    def forward(self, images: Tensor, targets: Tensor, known: Tensor, noise: Noise) -> Pass:
        """One training pass over images [B, C, H, W], target weights [B, sum K] and what is known of them [B, A]."""
        posterior = self.latent.posterior(self.encoder(self._seen(images, targets, known)))
        draw = noise.normal(len(images), self.latent.codes)
        chosen = noise.chosen(len(images), self.recipe.label_share)
        with torch.autocast(images.device.type, enabled=False):  # weights and z keep full precision
            sample = self.latent.sample(posterior, draw.to(images.device))
            from_label = self.latent.owned(known * chosen.to(images.device))
            z = torch.lerp(sample, self.latent.place(targets), from_label)  # [B, D]
        return Pass(images, self.decoder(z), posterior, self.latent, targets, known)

    @torch.no_grad()
    def _seen(self, images: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """What the encoder gets for images: the first few as the decoder draws them now."""
        count = int(self.recipe.round_trip_share * len(images))
        if not count:
            return images
        with torch.autocast(images.device.type, enabled=False):
            z = self.latent.place(targets[:count])
        complete = known[:count].all(dim=1)[:, None, None, None]
        return torch.cat([torch.where(complete, self.decode(z), images[:count]), images[count:]])

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        """``z`` [B, D], ``weights`` [B, sum K], ``mean`` and ``logvar`` [B, L] of images [B, C, H, W]."""
        posterior = self.latent.posterior(self.encoder(images))
        return {
            "z": self.latent.point(posterior),
            "weights": self.latent.weights(posterior),
            "mean": posterior.mean,
            "logvar": posterior.logvar,
        }

    def decode(self, z: Tensor) -> Tensor:
        """Images [B, C, H, W] in 0..1 of z [B, D]."""
        return torch.sigmoid(self.decoder(z).float())
