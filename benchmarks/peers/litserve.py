"""LitServe (https://github.com/Lightning-AI/LitServe): processes that batch what comes within 2 ms.

python -m benchmarks.peers.litserve PORT. LitServe reads annotations as they are, so none is postponed.
"""

import sys
from typing import Annotated, Any

import litserve
import numpy as np
from fastapi import Body, Response

from benchmarks.peers.fastapi_plain import Decode
from benchmarks.peers.pair import Float32, Pair, Pixels, png, read_png, workers


class Decoder(litserve.LitAPI):
    """Attribute values to a PNG."""

    def setup(self, device: str) -> None:
        self.pair = Pair.from_environment()

    def decode_request(self, request: Decode) -> Float32:
        return self.pair.latent_point(request.attributes)

    def batch(self, inputs: list[Float32]) -> Float32:
        return np.stack(inputs)

    def predict(self, x: Float32) -> Pixels:
        return self.pair.decode(x)

    def unbatch(self, output: Pixels) -> list[Pixels]:
        return [*output]

    def encode_response(self, output: Pixels) -> Response:
        return Response(png(output), media_type="image/png")


class Encoder(litserve.LitAPI):
    """A PNG to attribute values."""

    def setup(self, device: str) -> None:
        self.pair = Pair.from_environment()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/png")]) -> Pixels:
        return read_png(request)

    def batch(self, inputs: list[Pixels]) -> Pixels:
        return np.stack(inputs)

    def predict(self, x: Pixels) -> tuple[Float32, Float32]:
        return self.pair.encode(x)

    def unbatch(self, output: tuple[Float32, Float32]) -> list[tuple[Float32, Float32]]:
        return [*zip(*output, strict=True)]

    def encode_response(self, output: tuple[Float32, Float32]) -> dict[str, Any]:
        return self.pair.response(*output)


if __name__ == "__main__":
    apis = [
        Decoder(api_path="/decode", max_batch_size=64, batch_timeout=0.002),
        Encoder(api_path="/encode", max_batch_size=64, batch_timeout=0.002),
    ]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=workers(), fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=workers(),
        log_level="warning",
        generate_client_file=False,
    )
