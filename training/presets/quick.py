"""The softmax preset for a first look: minutes on a CPU.

Source: github.com/fostiropoulos/ssvae, as softmax.
Data: dsprites, or any images with labelled attributes.
Command: ``spritevae train quick --data dsprites``.
Expected: held-out dSprites shape, scale, pos_x and pos_y >= .99, in less than ten minutes on two CPU cores.
Differs from it: as softmax; a tenth of the images.
"""

from __future__ import annotations

from functools import partial

from training.latents import Softmax
from training.presets.softmax import supervised

recipe = partial(supervised, Softmax, images=800_000)
