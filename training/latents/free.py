"""Free latent variables: Gaussian codes without supervision, each a continuous attribute of its own."""

from __future__ import annotations

import torch
from torch import Tensor

from attributes import Attribute
from training.latents.base import Latent, Posterior, Target
from training.latents.embedding import Embedding

# Quantiles of a code's means on data that bound its usual range.
RANGE_QUANTILES = (0.005, 0.995)
# How far the limits lie beyond the range, in (width of the range + one standard deviation of the prior).
LIMIT_MARGIN = 10.0
# The range reaches at least this far from the median, as the means of an idle code hardly differ.
LEAST_HALF_WIDTH = 1e-3


class Unsupervised(Latent):
    """``length`` Gaussian codes without supervision. Each is a continuous attribute ``z0``, ``z1``, ... of its own.

    ``follows`` names the factor that each code follows, None where there is no such factor.
    """

    needs_fit = True
    # [2, D] the usual range of the codes' means.
    extent: Tensor
    # [D] the medians of the codes' means.
    middle: Tensor

    def __init__(self, length: int, prefix: str = "z") -> None:
        super().__init__(length, length)
        self.prefix = prefix
        self.follows: tuple[str | None, ...] = (None,) * length
        self.register_buffer("extent", torch.tensor([[-1.0], [1.0]]).repeat(1, length))
        self.register_buffer("middle", torch.zeros(length))

    @property
    def embedding(self) -> Embedding:
        """The codes are z themselves: the unit matrix [D, D] and no offset."""
        return Embedding(torch.eye(self.length, device=self.extent.device), self.extent.new_zeros(self.length))

    def weights(self, q: Posterior) -> Tensor:
        """The means [B, D]."""
        return q.mean

    def fit(self, q: Posterior, target: Target | None) -> None:
        """Take ranges and medians from the means."""
        quantiles = torch.tensor([RANGE_QUANTILES[0], 0.5, RANGE_QUANTILES[1]], device=q.mean.device)
        low, middle, high = q.mean.quantile(quantiles, dim=0)  # [D] each
        low, high = torch.minimum(low, middle - LEAST_HALF_WIDTH), torch.maximum(high, middle + LEAST_HALF_WIDTH)
        self.extent.copy_(torch.stack([low, high]))
        self.middle.copy_(middle)

    def attributes(self) -> list[Attribute]:
        """Its dimensions as attributes, each named after the factor that it follows."""
        listed = []
        ranges = zip(self.extent.T.tolist(), self.middle.tolist(), self.follows, strict=True)
        for i, ((low, high), middle, factor) in enumerate(ranges):
            margin = LIMIT_MARGIN * (high - low + 1)
            name = f"{self.prefix}{i}" + (f"_{factor}" if factor else "")
            limits = (low - margin, high + margin)
            listed.append(Attribute(name=name, kind="continuous", range=(low, high), limits=limits, default=middle))
        return listed

    def get_extra_state(self) -> tuple[str | None, ...]:
        """The names of the factors, which a checkpoint keeps."""
        return self.follows

    def set_extra_state(self, state: tuple[str | None, ...]) -> None:
        """Take the names of a checkpoint."""
        self.follows = tuple(state)
