"""beta-VAE with convolutions: the KL term weighted by beta, so that latents come to follow one factor each.

Source: github.com/Akella17/Beta-VAE (PyTorch; its convolutional form can't be trained), after Higgins et al. 2017;
beta = 1 is the plain VAE.
Data: dsprites, or any images; labels only serve to tell which factor each latent follows.
Command: ``spritevae train beta_conv --data dsprites``.
Expected: after 1,000,000 images, 7 minutes on one shared core of a CPU with bf16 instructions: six latents active, none
the only one of its factor; MIG .034 (20 bins), FactorVAE metric .516: factors come apart under a capacity, not under
this beta.
Differs from it: faster convolutions, bf16 where the hardware has it.
"""

from __future__ import annotations

from functools import partial

from training.latents import Unsupervised
from training.losses import KL, Loss, Reconstruction
from training.networks import LEAN, Backbones
from training.recipe import Recipe
from training.schedules import hold_then_linear


def unsupervised(
    backbones: Backbones, kl: Loss, latent: int, images: int, batch_size: int, learning_rate: float
) -> Recipe:
    """A VAE of free latents only: the recipe that the beta and capacity presets share."""
    return Recipe(
        encoder=backbones.encoder,
        decoder=backbones.decoder,
        latents=lambda features, attributes: [Unsupervised(latent)],
        losses=(Reconstruction(), kl),
        images=images,
        batch_size=batch_size,
        learning_rate=hold_then_linear(learning_rate, hold=0.7, warmup=0.005),
    )


def beta_vae(
    backbones: Backbones,
    *,
    images: int = 1_000_000,
    batch_size: int = 64,
    learning_rate: float = 5e-4,
    latent: int = 10,
    beta: float = 4.0,
) -> Recipe:
    """A beta-VAE; its keyword arguments are the settings of the presets that it makes."""
    return unsupervised(backbones, KL(beta), latent, images, batch_size, learning_rate)


recipe = partial(beta_vae, LEAN)
