"""BentoML (https://github.com/bentoml/BentoML): a service of processes with thread pools.

Without adaptive batching, which is for endpoints that take and give lists: these would be JSON, not PNG. Without
metrics and access log, as the others have none.
"""

from __future__ import annotations

from typing import Annotated, Any

import bentoml
import numpy as np
from PIL import Image

from benchmarks.peers.pair import Pair, workers

PNG = bentoml.validators.ContentType("image/png")


@bentoml.service(workers=workers(), threads=8, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Service:
    """Both endpoints."""

    def __init__(self) -> None:
        self.pair = Pair.from_environment()

    @bentoml.api(route="/decode")
    def decode(self, attributes: dict[str, float | str]) -> Annotated[Image.Image, PNG]:
        """A PNG of attribute values."""
        return Image.fromarray(self.pair.decode(self.pair.latent_point(attributes)[None])[0])

    @bentoml.api(route="/encode")
    def encode(self, image: Image.Image, /) -> dict[str, Any]:
        """The attribute values of a PNG."""
        z, weights = self.pair.encode(np.asarray(image.convert("L"))[None])
        return self.pair.response(z[0], weights[0])
