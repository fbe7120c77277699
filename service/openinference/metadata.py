"""GET /v2...: what this server and its models are, and whether they are ready."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import msgspec
from fastapi import Request, Response
from msgspec import Struct

from service.context import current
from service.openinference.interfaces import TensorType, find, version_of
from service.openinference.openapi import documented, group
from service.openinference.protocol import (
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
)
from service.routes import health
from service.web.request_bodies import JSON
from service.web.schemas import NoQuery

router = group()


def answer(content: Struct | Sequence[Struct]) -> Response:
    """A struct as JSON."""
    return Response(msgspec.json.encode(content), media_type=JSON)


@router.get(**documented("", ServerMetadata))
async def server(request: Request) -> Response:
    """The server's name, version and extensions of the protocol."""
    try:
        release = version("spritevae")
    except PackageNotFoundError:
        release = "uninstalled"
    extensions = ["binary_tensor_data", *(["model_repository"] if request.app.state.settings.admin else [])]
    return answer(ServerMetadata("spritevae", release, extensions))


@router.get(**documented("/health/live", ServerLive))
async def live(request: Request) -> Response:
    """The process answers."""
    return answer(ServerLive(live=True))


@router.get(**documented("/health/ready", ServerReady))
async def ready(request: Request) -> Response:
    """Every model that is served has reproduced its golden vectors; 503 until then."""
    await health.ready(request, NoQuery())
    return answer(ServerReady(ready=True))


@router.get(**documented("/models/{model}", ModelMetadata))
@router.get(**documented("/models/{model}/versions/{version}", ModelMetadata))
async def model(request: Request) -> Response:
    """A model's inputs and outputs."""
    name = request.path_params["model"]
    engine, interface = find(request.app.state.store, name, request.path_params.get("version"))
    current.get().model = engine.model
    return answer(
        ModelMetadata(
            name,
            [version_of(engine.model)],
            "onnx_onnxv1",
            _described(interface.inputs + interface.optional),
            _described(interface.outputs),
        )
    )


@router.get(**documented("/models/{model}/ready", ModelReady))
@router.get(**documented("/models/{model}/versions/{version}/ready", ModelReady))
async def model_ready(request: Request) -> Response:
    """A model is served."""
    name = request.path_params["model"]
    find(request.app.state.store, name, request.path_params.get("version"))
    return answer(ModelReady(name, ready=True))


def _described(tensors: tuple[TensorType, ...]) -> list[TensorMetadata]:
    return [TensorMetadata(tensor.name, tensor.datatype, [*tensor.shape]) for tensor in tensors]
