"""The recipe of a system: everything that a preset decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from attributes import Attributes
from training.adversary import Adversary
from training.latents import Latent, Space
from training.losses import Loss
from training.networks import Encoder, ImageShape
from training.optimizers import adam
from training.schedules import Plateau, Progress, Schedule


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Networks, latent variables, loss terms, and how long and how fast to train.

    Raises ValueError on numbers with which nothing can be trained.
    """

    encoder: Callable[[ImageShape], Encoder]
    """From the image shape. Conditions come as further channels."""
    decoder: Callable[[int, ImageShape], nn.Module]
    """From the length of z and the image shape."""
    latents: Callable[[int, Attributes], Sequence[Latent]]
    """From the number of features and the data's attributes. Raises ValueError where these don't suffice."""
    losses: tuple[Loss, ...]
    condition_classifier: Callable[[ImageShape], Encoder] | None = None
    """Backbone of the classifier that infers conditions where they are not known."""
    adversary: Callable[[Space], Adversary] | None = None
    """A classifier that is trained beside the model and that an adversarial loss needs."""
    label_share: float = 0.0
    """Share of the labelled images that are decoded from the z of their labels, not from a sample. So the decoder is
    trained on exactly what /decode asks of it."""
    cycle_share: float = 0.0
    """Share of the labelled images that the encoder gets as the decoder draws them from their labels. So the encoder
    is trained to read images that /decode made."""
    off_grid_share: float = 0.0
    """Share of the images that are rendered between grid values, where the data can. So weights between two classes
    are trained to mean the value between them."""
    images: int
    """The number of images to train on, repeats counted."""
    batch_size: int
    learning_rate: Schedule
    optimizer: Callable[[nn.Module, torch.dtype], Optimizer] = adam
    """From the model and the precision that the hardware computes in."""
    plateau: Plateau | None = None
    """How the learning rate falls where the validation loss stands still, and when to stop early."""

    def __post_init__(self) -> None:
        peak = max(self.learning_rate(Progress(step, 1000)) for step in range(1000))
        if self.images < 1 or self.batch_size < 1 or not 0 < peak < math.inf:
            raise ValueError(
                f"a recipe needs at least one image and a positive learning rate; "
                f"got {self.images} images in batches of {self.batch_size} and a rate of {peak:g}"
            )
        for share in (self.label_share, self.cycle_share, self.off_grid_share):
            if not 0 <= share <= 1:
                raise ValueError(f"a share lies between 0 and 1, got {share}")
