"""Branched VAE: a classifier beside the latents, from the same features.

Source: github.com/chrisonntag/variational-latent-disentanglement (TensorFlow; no figures published).
Data: mnist, fashion-mnist, or any images with a labelled discrete attribute (``label``; by default the first one).
Command: ``spritevae train branched --data mnist``.
Expected: MNIST test images: digit right in 98.3 %, squared error 12.3, after 600,000 images: 3 minutes on one core of a
CPU with bf16 instructions.
Differs from it: no batch normalisation; a class's place in latent space is the centroid of its means, so that labels
can be decoded.
"""

from __future__ import annotations

from collections.abc import Callable

from attributes import Attributes
from training.latents.base import Branched, Latent
from training.losses import KL, SquaredError, Supervised
from training.model import Recipe
from training.networks.decoders import DIGITS, Encoder, ImageShape
from training.schedules import Plateau, hold_then_linear

HIDDEN = (128, 64)


def labelled(
    latents: Callable[[int, Attributes], list[Latent]],
    images: int,
    batch_size: int,
    learning_rate: float,
    beta: float,
    supervised_weight: float,
    condition_classifier: Callable[[ImageShape], Encoder] | None = None,
) -> Recipe:
    """The network and the loss that the branched and the conditional VAE share."""
    return Recipe(
        encoder=DIGITS.encoder,
        decoder=DIGITS.decoder,
        condition_classifier=condition_classifier,
        latents=latents,
        losses=(SquaredError(1000.0, per_pixel=True), KL(beta), Supervised(supervised_weight)),
        images=images,
        batch_size=batch_size,
        learning_rate=hold_then_linear(learning_rate, hold=0.5, warmup=0.01),
        plateau=Plateau(),
    )


def recipe(
    *,
    images: int = 1_800_000,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    latent: int = 10,
    beta: float = 1.0,
    label: str = "",
    supervised_weight: float = 1.0,
) -> Recipe:
    """The recipe; its keyword arguments are the preset's settings."""

    def latents(features: int, attributes: Attributes) -> list[Latent]:
        return [Branched(attributes.discrete(label), latent, features, HIDDEN)]

    return labelled(latents, images, batch_size, learning_rate, beta, supervised_weight)
