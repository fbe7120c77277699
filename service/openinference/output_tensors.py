"""Output tensors: which of them a request wants, and how they are sent."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from fastapi import Response
from msgspec import Raw
from numpy.typing import NDArray

from service.openinference.bodies import BINARY, HEADER_LENGTH
from service.openinference.interfaces import Arrays, TensorType
from service.openinference.protocol import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    OutputParameters,
    Tensor,
    TensorParameters,
    WholeNumber,
)
from service.problems import Problem
from service.web.request_bodies import JSON

DATATYPES: dict[str, Datatype] = {"float32": "FP32", "uint8": "UINT8"}
# Names of outputs, in order, and whether each is sent as binary data behind the JSON.
Wanted = dict[str, bool]


def wanted(request: InferenceRequest, offered: tuple[TensorType, ...]) -> Wanted:
    """The outputs that a request names, or all; raises Problem 422."""
    behind = bool(request.parameters and request.parameters.binary_data_output)
    names = [tensor.name for tensor in offered]
    if not request.outputs:
        return dict.fromkeys(names, behind)
    chosen: Wanted = {}
    for index, output in enumerate(request.outputs):
        where = f"outputs[{index}]"
        if output.name not in names or output.name in chosen:
            raise Problem(422, f"{where}.name: got {output.name!r:.80}; accepts each once: {', '.join(names)}")
        given = output.parameters or OutputParameters()
        if given.classification is not None or given.shared_memory_region is not None:
            raise Problem(422, f"{where}.parameters: got classification or shared memory; accepts binary_data")
        chosen[output.name] = behind if given.binary_data is None else given.binary_data
    return chosen


def response(model: str, version: str, request: InferenceRequest, arrays: Arrays, chosen: Wanted) -> Response:
    """The response with these outputs; raises Problem 422 for values that are not finite, as JSON has none."""
    tensors, behind = [], []
    for name, binary in chosen.items():
        array = np.ascontiguousarray(arrays[name])
        if not np.isfinite(array).all():
            raise Problem(422, f"inputs: the model gives no finite {name} there")
        tensors.append(_tensor(name, array, binary))
        if binary:
            behind.append(array.data)
    header = msgspec.json.encode(InferenceResponse(model, version, tensors, request.id), enc_hook=int)  # of WholeNumber
    if not behind:
        return Response(header, media_type=JSON)
    return Response(b"".join([header, *behind]), headers={HEADER_LENGTH: str(len(header))}, media_type=BINARY)


def _tensor(name: str, array: NDArray[Any], binary: bool) -> Tensor:
    datatype, shape = DATATYPES[array.dtype.name], [*array.shape]
    if binary:
        return Tensor(name, datatype, shape, TensorParameters(WholeNumber(array.nbytes)))
    return Tensor(name, datatype, shape, data=Raw(msgspec.json.encode(array.ravel().tolist())))
