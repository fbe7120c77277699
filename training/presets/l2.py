"""Supervised VAE, l2 space: one real number per attribute, held to the label by squared distance.

Source: github.com/fostiropoulos/ssvae (TensorFlow; its own training of this space raises, no figures published).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train l2 --data dsprites``.
Expected: all five attributes of a held-out image right in 2.4 %, decode IoU .786, after 300,000 images of dSprites: 5
minutes on one core of a CPU with bf16 instructions; docs/systems.md compares the five spaces.
Differs from it: classes are spread with mean 0 and variance 1, as the prior is; most labelled images are decoded from
their labels.
"""

from __future__ import annotations

from functools import partial

from training.latents import IndexRegression
from training.presets.softmax import supervised

recipe = partial(supervised, IndexRegression)
