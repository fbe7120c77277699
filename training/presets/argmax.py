"""Supervised VAE, argmax space: the decoder gets the index of each attribute's largest code.

Source: github.com/fostiropoulos/ssvae (TensorFlow; no figures published; it finds that this trains two networks apart).
Data: dsprites, or any images with labelled attributes; labels may be missing.
Command: ``spritevae train argmax --data dsprites``.
Expected: all five attributes of a held-out image right in 52.8 %, decode IoU .749, after 300,000 images of dSprites: 5
minutes on one core of a CPU with bf16 instructions; docs/systems.md compares the five spaces.
Differs from it: most labelled images are decoded from their labels, without which the decoder would have to wait for
the encoder.
"""

from __future__ import annotations

from functools import partial

from training.latents import Argmax
from training.presets.softmax import supervised

recipe = partial(supervised, Argmax)
