"""Supervised VAE, softmax space: every attribute is a softmax over one latent per class.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train softmax --data dsprites``.
Expected: held-out dSprites (73,809 images) orientation .962 over 40 classes, the other attributes >= .9999, decode IoU
.988, after 11,000,000 images: 113 minutes on one shared core of a CPU with bf16 instructions.
Differs from it: most labelled images are decoded from their labels, and some are encoded as the decoder draws them, so
that both halves are trained on exactly what they are asked when served; some are drawn between grid values, so that
weights between classes mean what lies between; Muon in place of Adam; a decoder of rows and columns; a KL term of a
tenth of the weight, so that confidences may come close to 1; aliases of a circular attribute share their class; labels
may be missing; images of any size and colour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from attributes import Attribute, Attributes
from training.latents import ContinuousRegression, Latent, Softmax
from training.losses import KL, Reconstruction, Supervised
from training.networks import DECODERS, ENCODERS
from training.optimizers import OPTIMIZERS
from training.recipe import Recipe
from training.schedules import polynomial


def supervised(
    latent: Callable[[Attribute], Latent],
    *,
    images: int = 11_000_000,
    batch_size: int = 256,
    learning_rate: float = 2e-3,
    latent_weight: float = 0.1,
    supervised_weight: float = 100.0,
    label_share: float = 0.9,
    cycle_share: float = 0.0625,
    off_grid_share: float = 0.05,
    encoder: Literal["patches", "strided", "dense"] = "patches",
    decoder: Literal["separable", "pixel_shuffle", "transposed", "resizing", "coordinate", "dense"] = "separable",
    optimizer: Literal["muon", "adam"] = "muon",
) -> Recipe:
    """A supervised VAE with a ``latent`` for each discrete attribute and a number for each continuous one.

    Its keyword arguments are the settings of the presets that it makes.
    """

    def latents(features: int, attributes: Attributes) -> list[Latent]:
        return [ContinuousRegression(each) if each.kind == "continuous" else latent(each) for each in attributes]

    return Recipe(
        encoder=ENCODERS[encoder],
        decoder=DECODERS[decoder],
        latents=latents,
        losses=(Reconstruction(), KL(latent_weight, per_code=True), Supervised(supervised_weight)),
        label_share=label_share,
        cycle_share=cycle_share,
        off_grid_share=off_grid_share,
        images=images,
        batch_size=batch_size,
        learning_rate=polynomial(learning_rate, power=2, warmup=0.01),
        optimizer=OPTIMIZERS[optimizer],
    )


recipe = partial(supervised, Softmax)
