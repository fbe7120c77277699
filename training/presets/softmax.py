"""Supervised VAE, softmax space: every attribute is a softmax over one latent per class.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published).
Differs from it: half of the images are decoded from their labels, so that /decode is trained on exactly what it is
asked; aliases of a circular attribute share their class; labels may be missing; images of any size and colour.
"""

from __future__ import annotations

from functools import partial

from training.latents import Softmax
from training.model import Recipe
from training.nets import ConvEncoder, PixelShuffleDecoder
from training.schedules import hold_then_linear
from training.terms import KL, Reconstruction, Supervised


def recipe(
    *,
    images: int = 6_000_000,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    latent_weight: float = 1.0,
    supervised_weight: float = 100.0,
    label_share: float = 0.5,
) -> Recipe:
    """The recipe; its keyword arguments are the preset's settings."""
    return Recipe(
        encoder=partial(ConvEncoder, channels=(64, 64, 48), features=256),
        decoder=partial(PixelShuffleDecoder, trunk=(512, 320), channels=(64, 128)),
        latent=Softmax,
        terms=(Reconstruction(), KL(latent_weight, per_class=True), Supervised(supervised_weight)),
        label_share=label_share,
        images=images,
        batch_size=batch_size,
        learning_rate=hold_then_linear(learning_rate, hold=0.4, warmup=0.005),
    )
