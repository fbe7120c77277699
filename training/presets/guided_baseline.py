"""The network of ``guided`` without its classifier, to compare with.

Source: github.com/iliya-malecki/vaes (TensorFlow; MNIST training set, epoch 10: reconstruction 32.84, KL 2.30).
Data: mnist, or any images.
Command: ``spritevae train guided_baseline --data mnist``.
Expected: MNIST test images squared error 26.8; training images while training 26.8; after 600,000 images: 5 minutes on
one core of a CPU with bf16 instructions.
Differs from it: as ``guided`` does.
"""

from __future__ import annotations

from training.presets.guided import baseline as recipe

__all__ = ["recipe"]
