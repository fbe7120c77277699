"""MLServer (https://github.com/SeldonIO/MLServer): Open Inference Protocol, batches of what comes within 2 ms.

python -m benchmarks.peers.mlserver PORT. One process for HTTP, and others for models.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys

import mlserver
import numpy as np
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from benchmarks.peers.pair import Pair, png, read_png, workers


class Runtime(mlserver.MLModel):
    """What both models share: texts in, texts out."""

    async def load(self) -> bool:
        self.pair = Pair.from_environment()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        said = self.say([*payload.inputs[0].data])
        output = ResponseOutput(name="output", shape=[len(said), 1], datatype="BYTES", data=said)
        return InferenceResponse(model_name=self.name, outputs=[output])

    def say(self, texts: list[str]) -> list[str]:
        raise NotImplementedError


class Decoder(Runtime):
    """Attribute values as JSON to PNG as base64."""

    def say(self, texts: list[str]) -> list[str]:
        points = [self.pair.latent_point(json.loads(text)["attributes"]) for text in texts]
        return [base64.b64encode(png(pixels)).decode() for pixels in self.pair.decode(np.stack(points))]


class Encoder(Runtime):
    """PNG as base64 to attribute values as JSON."""

    def say(self, texts: list[str]) -> list[str]:
        pixels = np.stack([read_png(base64.b64decode(text)) for text in texts])
        return [json.dumps(self.pair.response(*each)) for each in zip(*self.pair.encode(pixels), strict=True)]


async def serve(port: int) -> None:
    """Run until a signal."""
    settings = mlserver.Settings(
        debug=False, host="127.0.0.1", http_port=port, grpc_port=0, metrics_endpoint=None, parallel_workers=workers()
    )
    models = [
        mlserver.ModelSettings(name=name, implementation=runtime, max_batch_size=64, max_batch_time=0.002)
        for name, runtime in (("decode", Decoder), ("encode", Encoder))
    ]
    await mlserver.MLServer(settings).start(models)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
