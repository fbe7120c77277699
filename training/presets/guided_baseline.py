"""The network of ``guided`` without its classifier, to compare with.

Source: github.com/iliya-malecki/vaes (TensorFlow; MNIST training set, epoch 10: reconstruction 32.84, KL 2.30).
Data: mnist, or any images.
Command: ``spritevae train guided_baseline --data mnist``.
Expected: see docs/systems.md.
Differs from it: as ``guided`` does.
"""

from __future__ import annotations

from training.presets.guided import baseline as recipe

__all__ = ["recipe"]
