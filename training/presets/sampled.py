"""Supervised VAE, sampled space: the decoder gets each attribute's Gaussian code itself.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published; its codes can't be walked).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train sampled --data dsprites``.
Expected: see docs/systems.md, where all five spaces are compared.
Differs from it: a class's place is the centroid of its codes' means, measured on training images, so that attributes
can be walked here too.
"""

from __future__ import annotations

from functools import partial

from training.latents import Sampled
from training.presets.softmax import supervised

recipe = partial(supervised, Sampled, label_share=0.0, round_trip_share=0.0)
