"""beta-VAE with dense layers: the KL term weighted by beta, so that latents come to follow one factor each.

Source: github.com/Akella17/Beta-VAE (PyTorch; 1200-1200-(10)-1200-1200-1200), after Higgins et al. 2017; beta = 1 is
the plain VAE.
Data: dsprites, or any images; labels only serve to tell which factor each latent follows.
Command: ``spritevae train beta_mlp --data dsprites``.
Expected: not measured yet.
Differs from it: bf16 where the hardware has it.
"""

from __future__ import annotations

from functools import partial

from training.nets import DENSE
from training.presets.beta_conv import beta_vae

recipe = partial(beta_vae, DENSE)
