"""GET /v2...: what this server and its models are, and whether they are ready."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import Request, Response

from service.context import current_request
from service.openinference.interfaces import VERSION, TensorType, find
from service.openinference.openapi import protocol_router, route_docs
from service.openinference.protocol import (
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
    struct_response,
)
from service.state import state_of

router = protocol_router()


@router.get(**route_docs("", ServerMetadata))
async def server_metadata(request: Request) -> Response:
    """The server's name, version and extensions of the protocol."""
    try:
        release = version("spritevae")
    except PackageNotFoundError:
        release = "uninstalled"
    extensions = ["binary_tensor_data", "model_configuration", "statistics"]
    if state_of(request).settings.admin:
        extensions.append("model_repository")
    return struct_response(ServerMetadata("spritevae", release, extensions))


@router.get(**route_docs("/health/live", ServerLive))
async def live(request: Request) -> Response:
    """The process answers."""
    return struct_response(ServerLive(live=True))


@router.get(**route_docs("/health/ready", ServerReady))
async def ready(request: Request) -> Response:
    """Every model that is served has reproduced its golden vectors; 503 until then."""
    state_of(request).check_ready()
    return struct_response(ServerReady(ready=True))


@router.get(**route_docs("/models/{model}", ModelMetadata))
@router.get(**route_docs("/models/{model}/versions/{version}", ModelMetadata))
async def model_metadata(request: Request) -> Response:
    """A model's inputs and outputs."""
    name = request.path_params["model"]
    engine, interface = find(state_of(request).repository, name, request.path_params.get("version"))
    current_request.get().model_headers = engine.model.headers
    return struct_response(
        ModelMetadata(
            name,
            [VERSION],
            "onnx_onnxv1",
            _described(interface.inputs + interface.optional),
            _described(interface.outputs),
        )
    )


@router.get(**route_docs("/models/{model}/ready", ModelReady))
@router.get(**route_docs("/models/{model}/versions/{version}/ready", ModelReady))
async def model_ready(request: Request) -> Response:
    """A model is served."""
    name = request.path_params["model"]
    find(state_of(request).repository, name, request.path_params.get("version"))
    return struct_response(ModelReady(name, ready=True))


def _described(tensors: tuple[TensorType, ...]) -> list[TensorMetadata]:
    return [TensorMetadata(tensor.name, tensor.datatype, [*tensor.shape]) for tensor in tensors]
