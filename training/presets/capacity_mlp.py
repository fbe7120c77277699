"""beta-VAE with capacity and dense layers: the KL is held to a capacity that rises in training.

Source: github.com/Akella17/Beta-VAE (PyTorch; 1200-1200-(10)-1200-1200-1200), after Burgess et al. 2018. Its table
(gamma 100, C 20): five latents with variance < .01, pos_x, pos_y and scale among them, and five idle ones.
Data: dsprites, or any images; labels only serve to tell which factor each latent follows.
Command: ``spritevae train capacity_mlp --data dsprites``.
Expected: after 100,000 images, 3 minutes on one shared core of a CPU with bf16 instructions, which is far too few: four
latents active; MIG .037 (20 bins), FactorVAE metric .523.
Differs from it: bf16 where the hardware has it; the capacity rises over a share of training; the penalty is
quadratic close to the capacity (``Capacity`` says why).
"""

from __future__ import annotations

from functools import partial

from training.networks import DENSE
from training.presets.capacity_conv import capacity_vae

recipe = partial(capacity_vae, DENSE)
