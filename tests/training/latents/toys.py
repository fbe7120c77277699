"""Attributes of every kind, and posteriors and targets by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from attributes import Attribute
from training.latents import Posterior, Target

KIND = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
LEVEL = Attribute(name="level", kind="ordinal", size=3)
TURN = Attribute(name="turn", kind="circular", size=5, period=4)
GLOW = Attribute(name="glow", kind="continuous", range=(2.0, 6.0), default=3.0)


def posterior(mean: Tensor, logvar: Tensor | None = None, class_logits: Tensor | None = None) -> Posterior:
    """One with no variance, unless ``logvar`` is given."""
    nothing = mean[:, :0]
    logvar = torch.full_like(mean, -100.0) if logvar is None else logvar
    return Posterior(mean, logvar, nothing if class_logits is None else class_logits, nothing)


def one_hot(*classes: int, size: int) -> Target:
    """The target of images of these classes, all labelled."""
    return Target(torch.eye(size)[list(classes)], torch.ones(len(classes)))
