"""FastAPI with the ``batched`` library (https://github.com/mixedbread-ai/batched): inference of what has queued up.

Its window of 2 ms is the shortest that leaves large batches; the default of 5 ms answers less with one connection.
"""

from __future__ import annotations

from typing import Annotated, Any

import batched
import numpy as np
from fastapi import Body, FastAPI, Response

from benchmarks.peers.fastapi_plain import Decode
from benchmarks.peers.pair import Float32, Pair, Pixels, png, read_png

app = FastAPI()
pair = Pair.from_environment()


@batched.aio.dynamically(batch_size=64, timeout_ms=2)
def decode_all(points: list[Float32]) -> list[bytes]:
    """PNGs of z [D] each."""
    return [png(pixels) for pixels in pair.decode(np.stack(points))]


@batched.aio.dynamically(batch_size=64, timeout_ms=2)
def encode_all(images: list[Pixels]) -> list[tuple[Float32, Float32]]:
    """z [D] and weights [sum K] of pixels [H, W] each."""
    return [*zip(*pair.encode(np.stack(images)), strict=True)]


@app.post("/decode")
async def decode(body: Decode) -> Response:
    """A PNG of attribute values."""
    return Response(await decode_all(pair.latent_point(body.attributes)), media_type="image/png")


@app.post("/encode")
async def encode(image: Annotated[bytes, Body(media_type="image/png")]) -> dict[str, Any]:
    """The attribute values of a PNG."""
    return pair.response(*await encode_all(read_png(image)))
