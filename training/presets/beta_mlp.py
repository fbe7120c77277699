"""beta-VAE with dense layers: the KL term weighted by beta, so that latents come to follow one factor each.

Source: github.com/Akella17/Beta-VAE (PyTorch; 1200-1200-(10)-1200-1200-1200), after Higgins et al. 2017; beta = 1 is
the plain VAE.
Data: dsprites, or any images; labels only serve to tell which factor each latent follows.
Command: ``spritevae train beta_mlp --data dsprites``.
Expected: after 300,000 images, 10 minutes on one shared core of a CPU with bf16 instructions: five latents active, one
for scale, two for each position; MIG .070 (20 bins), FactorVAE metric .643.
Differs from it: bf16 where the hardware has it.
"""

from __future__ import annotations

from functools import partial

from training.networks import DENSE
from training.presets.beta_conv import beta_vae

recipe = partial(beta_vae, DENSE)
