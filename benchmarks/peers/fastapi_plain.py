"""Plain FastAPI: synchronous endpoints in its thread pool, as most people write them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from pydantic import BaseModel

from benchmarks.peers.pair import Pair, png, read_png

app = FastAPI()
pair = Pair.from_environment()


class Decode(BaseModel):
    """The body of /decode."""

    attributes: dict[str, float | str]


@app.post("/decode")
def decode(body: Decode) -> Response:
    """A PNG of attribute values."""
    return Response(png(pair.decode(pair.latent_point(body.attributes)[None])[0]), media_type="image/png")


@app.post("/encode")
def encode(image: Annotated[bytes, Body(media_type="image/png")]) -> dict[str, Any]:
    """The attribute values of a PNG."""
    z, weights = pair.encode(read_png(image)[None])
    return pair.response(z[0], weights[0])
