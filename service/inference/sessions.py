"""Sessions of onnxruntime: a graph that is run in batches of at most 64 rows, on a GPU in few batch sizes only."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from attributes import Float32
from service.batching.jobs import MAX_BATCH

BUCKETS = (1, 2, 4, 8, 16, 32, MAX_BATCH)


class Session:
    """An onnxruntime session that takes any number of rows. Safe to use from many threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self.onnx = session
        self.outputs = [output.name for output in session.get_outputs()]

    @property
    def provider(self) -> str:
        """The execution provider really in use."""
        name: str = self.onnx.get_providers()[0]
        return name

    def run(self, feeds: Mapping[str, Float32]) -> dict[str, Float32]:
        """Outputs [B, ...] by name of inputs [B, ...] by name."""
        count = len(next(iter(feeds.values())))
        if count <= MAX_BATCH:
            return dict(zip(self.outputs, self._batch(feeds, count), strict=True))
        batches = [
            self._batch({name: array[start : start + MAX_BATCH] for name, array in feeds.items()}, count - start)
            for start in range(0, count, MAX_BATCH)
        ]
        whole = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return dict(zip(self.outputs, whole, strict=True))

    def _batch(self, feeds: Mapping[str, Float32], count: int) -> list[Float32]:
        """Outputs of at most 64 rows, as many as there are up to ``count``."""
        outputs: list[Float32] = self.onnx.run(self.outputs, dict(feeds))
        return outputs


class PaddedSession(Session):
    """A session that pads batches to few sizes: on a GPU, each batch size has its own kernels and memory."""

    def _batch(self, feeds: Mapping[str, Float32], count: int) -> list[Float32]:
        count = min(count, MAX_BATCH)
        size = next(bucket for bucket in BUCKETS if bucket >= count)
        padded = feeds if size == count else {name: _padded(array, size) for name, array in feeds.items()}
        return [output[:count] for output in self._bucket(padded, size)]

    def _bucket(self, feeds: Mapping[str, Float32], size: int) -> list[Float32]:
        return super()._batch(feeds, size)


class CudaGraphSession(PaddedSession):
    """A session with fixed buffers on the device for inputs and outputs, so that CUDA graphs can be replayed.

    The constructor runs each batch size once, which records its CUDA graph. It runs one batch at a time.
    """

    def __init__(self, session: ort.InferenceSession, device: str) -> None:
        super().__init__(session)
        self._busy = threading.Lock()
        self._buffers = {size: _FixedBuffers(session, size, device) for size in BUCKETS}
        for buffers in self._buffers.values():
            buffers.run({})

    def _bucket(self, feeds: Mapping[str, Float32], size: int) -> list[Float32]:
        with self._busy:
            return self._buffers[size].run(feeds)


class _FixedBuffers:
    """The buffers of one batch size."""

    def __init__(self, session: ort.InferenceSession, size: int, device: str) -> None:
        self._session = session
        self._binding = session.io_binding()
        self._options = ort.RunOptions()
        self._options.add_run_config_entry("gpu_graph_id", str(size))
        self._inputs = {}
        for node in session.get_inputs():
            zeros: NDArray[np.float32] = np.zeros((size, *node.shape[1:]), np.float32)
            self._inputs[node.name] = ort.OrtValue.ortvalue_from_numpy(zeros, device, 0)
            self._binding.bind_ortvalue_input(node.name, self._inputs[node.name])
        self._outputs = []
        for node in session.get_outputs():
            shape = (size, *node.shape[1:])
            self._outputs.append(ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, device, 0))
            self._binding.bind_ortvalue_output(node.name, self._outputs[-1])

    def run(self, feeds: Mapping[str, Float32]) -> list[Float32]:
        for name, array in feeds.items():
            self._inputs[name].update_inplace(np.ascontiguousarray(array))
        self._session.run_with_iobinding(self._binding, self._options)
        return [output.numpy().copy() for output in self._outputs]


def _padded(array: Float32, size: int) -> Float32:
    padded = np.zeros((size, *array.shape[1:]), np.float32)
    padded[: len(array)] = array
    return padded
