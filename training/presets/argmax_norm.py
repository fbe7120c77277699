"""Supervised VAE, argmax_norm space: the decoder gets the index of each attribute's largest code, scaled to 0..1.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train argmax_norm --data dsprites``.
Expected: all five attributes of a held-out image right in 54.3 %, decode IoU .778, after 300,000 images of dSprites: 5
minutes on one core of a CPU with bf16 instructions; docs/systems.md compares the five spaces.
Differs from it: most labelled images are decoded from their labels.
"""

from __future__ import annotations

from functools import partial

from training.latents import Argmax
from training.presets.softmax import supervised

recipe = partial(supervised, partial(Argmax, scaled=True))
