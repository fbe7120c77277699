"""The one door from requests to inference."""

from __future__ import annotations

from anyio import to_thread

from service.runtime import Model
from service.timing import timed
from training.codebook import Float32


class Engine:
    """Runs a model's inference away from the event loop."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def encode(self, images: Float32, **conditions: Float32) -> dict[str, Float32]:
        """As ``Model.encode``: images [B, C, H, W] -> z, weights, and mean, logvar where they exist."""
        with timed("inference"):
            return await to_thread.run_sync(lambda: self.model.encode(images, **conditions))

    async def unfamiliar(self, images: Float32, z: Float32) -> list[bool] | None:
        """As ``Model.unfamiliar``."""
        if self.model.manifest.unfamiliar is None:
            return None
        with timed("unfamiliar"):
            return await to_thread.run_sync(self.model.unfamiliar, images, z)

    async def decode(self, z: Float32) -> Float32:
        """As ``Model.decode``: z [B, D] -> images [B, C, H, W]."""
        with timed("inference"):
            return await to_thread.run_sync(self.model.decode, z)
