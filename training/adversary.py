"""A critic: a classifier that learns beside a model what its codes give away, and trains on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.latents.base import Label, cross_entropy


class Adversary(nn.Module):
    """Codes [B, L] to logits [B, K], over two hidden layers, whatever the codes' scale.

    Its parameters are frozen but in ``learn``, so that the model's optimiser leaves them alone; its own optimiser's
    state is part of ``state_dict``, so that a checkpoint keeps it.
    """

    def __init__(self, codes: int, classes: int, hidden: int = 256, learning_rate: float = 2e-3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(codes, affine=False),
            nn.Linear(codes, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, classes),
        )
        self.requires_grad_(False)
        # the usual momentum would remember codes that the model has left
        self.optimizer = torch.optim.Adam(self.parameters(), lr=learning_rate, betas=(0.5, 0.999))

    def learn(self, codes: Tensor, label: Label, steps: int) -> None:
        """Take so many steps towards telling classes from codes as they are now."""
        codes = codes.detach()
        self.requires_grad_(True)
        for _ in range(steps):
            self.optimizer.zero_grad()
            self(codes, label).backward()
            self.optimizer.step()
        self.optimizer.zero_grad()
        self.requires_grad_(False)

    def forward(self, codes: Tensor, label: Label) -> Tensor:
        """Its cross-entropy on labelled codes, in nats, a scalar."""
        losses = cross_entropy(self.layers(codes), label.target) * label.known
        return losses.sum() / label.known.sum().clamp_min(1)

    def get_extra_state(self) -> dict[str, Any]:
        """The optimiser's, which a checkpoint keeps."""
        return self.optimizer.state_dict()

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take the optimiser's state of a checkpoint."""
        self.optimizer.load_state_dict(dict(state))
