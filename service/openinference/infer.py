"""POST /v2/models/{model}/infer: tensors in, tensors out."""

from __future__ import annotations

from fastapi import Request, Response

from attributes import Float32
from service.context import current_request, timed_phase
from service.inference.engine import Engine
from service.openinference import input_tensors, output_tensors
from service.openinference.bodies import (
    MICROSECONDS_PER_BINARY_BYTE,
    MICROSECONDS_PER_JSON_BYTE,
    read_request,
    split_binary,
)
from service.openinference.interfaces import VERSION, Interface, find
from service.openinference.openapi import protocol_router, route_docs
from service.openinference.protocol import InferenceRequest, InferenceResponse, decode
from service.openinference.statistics import counted
from service.state import state_of
from service.threads import in_thread_if_long

router = protocol_router()


@router.post(**route_docs("/models/{model}/infer", InferenceResponse, InferenceRequest, binary=True))
@router.post(**route_docs("/models/{model}/versions/{version}/infer", InferenceResponse, InferenceRequest, binary=True))
async def infer(request: Request) -> Response:
    """Run a model. An encoder's inputs `condition` and `condition_known` are optional, but go together.

    Tensors stand in the JSON, or behind it as little-endian bytes (`binary_data_size`, `binary_data`,
    `binary_data_output`); the header `Inference-Header-Content-Length` then says how long the JSON is.
    """
    name: str = request.path_params["model"]
    engine, interface = find(state_of(request).repository, name, request.path_params.get("version"))
    current_request.get().model_headers = engine.model.headers
    with counted(name):
        return await _run(request, name, engine, interface)


async def _run(request: Request, name: str, engine: Engine, interface: Interface) -> Response:
    state = state_of(request)
    document, binary = split_binary(request, await read_request(request, state.settings.max_body_bytes))

    def read() -> tuple[InferenceRequest, output_tensors.Wanted, dict[str, Float32]]:
        given = decode(document, InferenceRequest)
        inputs = input_tensors.read(given.inputs, binary, interface, state.settings.max_items)
        return given, output_tensors.wanted(given, interface.outputs), inputs

    with timed_phase("reading"):
        given, chosen, inputs = await in_thread_if_long(_microseconds(len(binary), len(document)), read)
    arrays = await interface.infer(engine, inputs)
    sizes = {True: 0, False: 0}
    for output, is_binary in chosen.items():
        sizes[is_binary] += arrays[output].nbytes
    with timed_phase("encoding"):
        return await in_thread_if_long(
            _microseconds(sizes[True], sizes[False]),
            lambda: output_tensors.response(name, VERSION, given, arrays, chosen),
        )


def _microseconds(binary_bytes: int, json_bytes: int) -> float:
    return MICROSECONDS_PER_BINARY_BYTE * binary_bytes + MICROSECONDS_PER_JSON_BYTE * json_bytes
