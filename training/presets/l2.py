"""Supervised VAE, l2 space: one real number per attribute, held to the label by squared distance.

Source: github.com/fostiropoulos/ssvae (TensorFlow; its own training of this space raises, no figures published).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train l2 --data dsprites``.
Expected: see docs/systems.md, where all five spaces are compared.
Differs from it: classes are spread with mean 0 and variance 1, as the prior is; most labelled images are decoded from
their labels.
"""

from __future__ import annotations

from functools import partial

from training.latents import Number
from training.presets.softmax import supervised

recipe = partial(supervised, Number)
