"""POST /v2/models/{model}/infer: tensors in, tensors out."""

from __future__ import annotations

from fastapi import Request, Response

from attributes import Float32
from service.context import current, timed
from service.openinference import input_tensors, output_tensors
from service.openinference.bodies import TEXT, aside, part, read_body
from service.openinference.interfaces import find, version_of
from service.openinference.openapi import documented, group
from service.openinference.protocol import InferenceRequest, InferenceResponse, decode

router = group()


@router.post(**documented("/models/{model}/infer", InferenceResponse, InferenceRequest, binary=True))
@router.post(**documented("/models/{model}/versions/{version}/infer", InferenceResponse, InferenceRequest, binary=True))
async def infer(request: Request) -> Response:
    """Run a model. An encoder's inputs `condition` and `condition_known` are optional, but go together.

    Tensors stand in the JSON, or behind it as little-endian bytes (`binary_data_size`, `binary_data`,
    `binary_data_output`); the header `Inference-Header-Content-Length` then says how long the JSON is. Bodies may come
    in gzip or deflate.
    """
    name: str = request.path_params["model"]
    engine, interface = find(request.app.state.store, name, request.path_params.get("version"))
    current.get().model = engine.model
    document, binary = part(request, await read_body(request))
    limit: int = request.app.state.settings.max_items

    def read() -> tuple[InferenceRequest, output_tensors.Wanted, dict[str, Float32]]:
        asked = decode(document, InferenceRequest)
        return (
            asked,
            output_tensors.wanted(asked, interface.outputs),
            input_tensors.read(asked.inputs, binary, interface, limit),
        )

    with timed("tensors"):
        asked, chosen, given = await aside(len(binary) + TEXT * len(document), read)
    arrays = await interface.infer(engine, given)
    size = sum(arrays[output].nbytes * (1 if behind else TEXT) for output, behind in chosen.items())
    with timed("tensors"):
        return await aside(size, lambda: output_tensors.response(name, version_of(engine.model), asked, arrays, chosen))
