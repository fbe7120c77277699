"""Triton Inference Server through PyTriton (https://github.com/triton-inference-server/pytriton): dynamic batches.

python -m benchmarks.peers.pytriton PORT
"""

from __future__ import annotations

import base64
import json
import os
import sys
import sysconfig

import numpy as np
from numpy.typing import NDArray
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from benchmarks.peers.pair import Pair, png, read_png, workers

Texts = NDArray[np.object_]
INPUT, OUTPUT = (Tensor(name=name, dtype=bytes, shape=(1,)) for name in ("input", "output"))


class Decoder:
    """Attribute values as JSON to PNG as base64."""

    def __init__(self) -> None:
        self.pair = Pair.from_environment()

    @batch
    def infer(self, input: Texts) -> dict[str, Texts]:
        points = [self.pair.latent_point(json.loads(text)["attributes"]) for text in input[:, 0]]
        said = [base64.b64encode(png(pixels)) for pixels in self.pair.decode(np.stack(points))]
        return {"output": np.array(said, object)[:, None]}


class Encoder:
    """PNG as base64 to attribute values as JSON."""

    def __init__(self) -> None:
        self.pair = Pair.from_environment()

    @batch
    def infer(self, input: Texts) -> dict[str, Texts]:
        pixels = np.stack([read_png(base64.b64decode(text)) for text in input[:, 0]])
        said = [json.dumps(self.pair.response(*each)).encode() for each in zip(*self.pair.encode(pixels), strict=True)]
        return {"output": np.array(said, object)[:, None]}


if __name__ == "__main__":
    # Triton's own processes load this Python's library, not another one of the same version that the system has.
    os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")
    ports = TritonConfig(http_address="127.0.0.1", http_port=int(sys.argv[1]), allow_grpc=False, allow_metrics=False)
    batches = ModelConfig(max_batch_size=64, batcher=DynamicBatcher(max_queue_delay_microseconds=1000))
    with Triton(config=ports) as triton:
        for name, made in (("decode", Decoder), ("encode", Encoder)):
            instances = [made().infer for _ in range(workers())]
            triton.bind(model_name=name, infer_func=instances, inputs=[INPUT], outputs=[OUTPUT], config=batches)
        triton.serve()
