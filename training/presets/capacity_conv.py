"""beta-VAE with capacity and convolutions: the KL is held to a capacity that rises in training.

Source: github.com/Akella17/Beta-VAE (PyTorch; its convolutional form can't be trained), after Burgess et al. 2018. Its
table (gamma 100, C 20): five latents with variance < .01, pos_x, pos_y and scale among them, and five idle ones.
Data: dsprites, or any images; labels only serve to tell which factor each latent follows.
Command: ``spritevae train capacity_conv --data dsprites``.
Expected: after 5,000,000 images, 40 minutes on one shared core of a CPU with bf16 instructions: pos_x, pos_y and scale
followed by one latent each, a fourth by shape and orientation, the fifth still waking (variance .24); MIG .361 (20
bins), FactorVAE metric .823. After 1,500,000 more, begun with its weights (``--init RUN --set images=1500000
rise_share=0.001``, 14 minutes): five latents with variance < .01, MIG .334, FactorVAE metric .866.
Differs from it: faster convolutions, bf16 where the hardware has it; the capacity rises over a share of training, not
over a number of steps; the penalty is quadratic close to the capacity (``Capacity`` says why).
"""

from __future__ import annotations

from functools import partial

from training.losses import Capacity
from training.networks import LEAN, Backbones
from training.presets.beta_conv import unsupervised
from training.recipe import Recipe
from training.schedules import ramp


def capacity_vae(
    backbones: Backbones,
    *,
    images: int = 5_000_000,
    batch_size: int = 64,
    learning_rate: float = 5e-4,
    latent: int = 10,
    gamma: float = 100.0,
    capacity: float = 20.0,
    rise_share: float = 0.75,
) -> Recipe:
    """A VAE with capacity (nats); its keyword arguments are the settings of the presets that it makes."""
    kl = Capacity(gamma, ramp(0.0, capacity, rise_share))
    return unsupervised(backbones, kl, latent, images, batch_size, learning_rate)


recipe = partial(capacity_vae, LEAN)
