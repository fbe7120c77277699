"""Optimizers, each made from a model and the precision that the hardware computes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

# Coefficients a, b, c of the Newton-Schulz iteration of Jordan et al. (2024), and its number of steps.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
STEPS = 5


def adam(model: nn.Module, _precision: torch.dtype) -> Optimizer:
    """Adam (Kingma and Ba 2015), as the published systems use it."""
    return torch.optim.Adam(model.parameters(), fused=True)


def muon(model: nn.Module, precision: torch.dtype) -> Optimizer:
    """Muon for matrices and kernels, Adam for the rest."""
    return Muon(model.parameters(), precision)


class Muon(Optimizer):
    """Momentum whose matrix updates are made orthogonal, so that all directions are learned alike (Jordan et al. 2024).

    A kernel counts as a matrix of [channels out, the rest]; torch's own Muon takes no kernels. Vectors are updated by
    Adam with the rate ``lr``. Matrices have ``ratio`` times that rate, and max(1, rows / columns)^(1/2) times more.
    They decay by ``weight_decay`` of ``ratio`` times ``lr`` per step. The iteration that makes updates orthogonal runs
    in ``precision``: bfloat16 suffices where the hardware computes in it.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        precision: torch.dtype = torch.float32,
        *,
        lr: float = 2e-3,
        ratio: float = 10.0,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        defaults = {"lr": lr, "ratio": ratio, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, {**defaults, "betas": betas, "eps": eps})
        self._precision = precision

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    update = self._update_matrix if weights.ndim > 1 else self._update_vector
                    update(weights, weights.grad, self.state[weights], group)

    def _update_matrix(self, weights: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Nesterov momentum, made orthogonal, of a matrix [R, C] or a kernel [R, ...]."""
        if not state:
            state["momentum"] = torch.zeros_like(weights)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        update = gradient.lerp(state["momentum"], group["momentum"]).flatten(1)  # [R, C]
        rate = group["lr"] * group["ratio"]
        weights.mul_(1 - rate * group["weight_decay"])
        rate *= max(1.0, len(update) / update.shape[1]) ** 0.5
        weights.sub_(orthogonalise(update.to(self._precision)).view_as(weights), alpha=rate)

    def _update_vector(self, weights: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Adam, of a vector or a number."""
        if not state:
            state |= {"step": 0, "mean": torch.zeros_like(weights), "square": torch.zeros_like(weights)}
        state["step"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        mean = state["mean"] / (1 - first ** state["step"])
        square = state["square"] / (1 - second ** state["step"])
        weights.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-group["lr"])


def orthogonalise(matrix: Tensor) -> Tensor:
    """Nearly U V^T of a matrix U S V^T [R, C], in float32: singular values come out between .7 and 1.2.

    Five steps of a Newton-Schulz iteration with the coefficients of Jordan et al. (2024).
    """
    wide = matrix.T if len(matrix) > matrix.shape[1] else matrix
    wide = wide / (wide.norm() + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(STEPS):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    result: Tensor = wide.T if len(matrix) > matrix.shape[1] else wide
    return result.float()


OPTIMIZERS: dict[str, Callable[[nn.Module, torch.dtype], Optimizer]] = {"muon": muon, "adam": adam}
