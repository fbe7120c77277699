"""Supervised VAE, sampled space: the decoder gets each attribute's Gaussian code itself.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published; its codes can't be interpolated).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train sampled --data dsprites``.
Expected: all five attributes of a held-out image right in 57.0 %, decode IoU .745, after 300,000 images of dSprites: 5
minutes on one core of a CPU with bf16 instructions; docs/systems.md compares the five spaces.
Differs from it: a class lies at the centroid of its codes' means on training images, so that its attributes can be
interpolated too.
"""

from __future__ import annotations

from training.latents import Sampled
from training.presets.softmax import supervised
from training.recipe import Recipe


def recipe(
    *,
    images: int = 9_000_000,
    batch_size: int = 256,
    learning_rate: float = 2e-3,
    latent_weight: float = 1.0,
    supervised_weight: float = 100.0,
) -> Recipe:
    """The recipe; its keyword arguments are the preset's settings.

    Before the centroids are fitted, labels have no z. So none are decoded in training.
    """
    return supervised(
        Sampled,
        images=images,
        batch_size=batch_size,
        learning_rate=learning_rate,
        latent_weight=latent_weight,
        supervised_weight=supervised_weight,
        label_share=0.0,
        cycle_share=0.0,
    )
