"""An adversary: a classifier that finds out what a model's codes reveal of a class (Ganin et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.latents import Target, cross_entropy


class Adversary(nn.Module):
    """Class logits [B, K] of codes [B, L], whatever their scale, by two hidden layers.

    Its parameters require gradients in ``learn`` only, so that the model's optimizer leaves them alone. It has an
    optimizer of its own, whose state is part of ``state_dict`` and so of a checkpoint.
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
        # beta1 is below the default .9, as old gradients belong to codes that the model no longer has
        self.optimizer = torch.optim.Adam(self.parameters(), lr=learning_rate, betas=(0.5, 0.999))

    def learn(self, codes: Tensor, target: Target, steps: int) -> None:
        """Take optimizer steps on the cross-entropy of these codes [B, L]. No gradient reaches the codes."""
        codes = codes.detach()
        self.requires_grad_(True)
        for _ in range(steps):
            self.optimizer.zero_grad()
            self(codes, target).backward()
            self.optimizer.step()
        self.optimizer.zero_grad()
        self.requires_grad_(False)

    def forward(self, codes: Tensor, target: Target) -> Tensor:
        """Mean cross-entropy of the labelled codes [B, L], in nats, a scalar."""
        losses = cross_entropy(self.layers(codes), target.weights) * target.known  # [B]
        return losses.sum() / target.known.sum().clamp_min(1)

    def get_extra_state(self) -> dict[str, Any]:
        """The optimizer's state, which a checkpoint keeps."""
        return self.optimizer.state_dict()

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take the optimizer's state of a checkpoint."""
        self.optimizer.load_state_dict(dict(state))
