"""Supervised VAE, argmax_norm space: the decoder gets the index of each attribute's largest code, scaled to 0..1.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train argmax_norm --data dsprites``.
Expected: see docs/systems.md, where all five spaces are compared.
Differs from it: most labelled images are decoded from their labels.
"""

from __future__ import annotations

from functools import partial

from training.latents import Argmax
from training.presets.softmax import supervised

recipe = partial(supervised, partial(Argmax, scaled=True))
