"""Multi-level VAE whose class codes get no gradient: reproduces the published fault, for comparison only.

Source: github.com/ananyahjha93/multi-level-vae (PyTorch), which takes the evidence from detached tensors. Its table:
see ``multi_level``.
Data: mnist, or any images with a labelled discrete attribute (``group``; by default the first one).
Command: ``spritevae train multi_level_detached --data mnist``.
Expected: MNIST test images, single: style codes tell the digit in 96.8 %, class codes, which are not trained, in
83.9 %, as random features do; after 600,000 images: 1 minute on one core of a CPU with bf16 instructions.
Differs from it: nothing that matters to the fault; the networks are those of ``multi_level``.
"""

from __future__ import annotations

from functools import partial

from training.presets.multi_level import multi_level

recipe = partial(multi_level, True, leak_weight=0.0, latent=10, class_latent=10, style_beta=1.0, subgroups=False)
