"""GET /v2/models/{model}/config: a model as Triton's configuration describes it, for tools that ask for that first.

Sources: github.com/triton-inference-server/server (docs/protocol/extension_model_configuration.md), and ModelConfig of
github.com/triton-inference-server/common (protobuf/model_config.proto).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from fastapi import Request, Response
from msgspec import Struct

from service.batching.jobs import MAX_BATCH
from service.context import current_request
from service.inference.providers import CPU
from service.openinference.interfaces import TensorType, find
from service.openinference.openapi import protocol_router, route_docs
from service.openinference.protocol import struct_response
from service.state import state_of

router = protocol_router()


class InputConfig(Struct, frozen=True):
    """An input, without the dimension of items."""

    name: str
    data_type: str
    dims: list[int]
    optional: bool


class OutputConfig(Struct, frozen=True):
    """An output, without the dimension of items."""

    name: str
    data_type: str
    dims: list[int]


class InstanceGroup(Struct, frozen=True):
    """Where batches run, and how many at once in all processes."""

    name: str
    kind: Literal["KIND_CPU", "KIND_GPU"]
    count: int
    gpus: list[int]


class DynamicBatching(Struct, frozen=True):
    """Batches are made of what waits, which waits for nothing more."""

    preferred_batch_size: list[int]
    max_queue_delay_microseconds: int = 0


class LatestVersions(Struct, frozen=True):
    """How many of the newest versions are served."""

    num_versions: int = 1


class VersionPolicy(Struct, frozen=True):
    """Which versions of a model are served."""

    latest: LatestVersions = LatestVersions()


class ModelConfig(Struct, frozen=True):
    """A model's configuration; ``max_batch_size`` is how many items a request may have."""

    name: str
    max_batch_size: int
    input: list[InputConfig]
    output: list[OutputConfig]
    instance_group: list[InstanceGroup]
    dynamic_batching: DynamicBatching
    platform: str = "onnxruntime_onnx"
    backend: str = "onnxruntime"
    version_policy: VersionPolicy = VersionPolicy()


@router.get(**route_docs("/models/{model}/config", ModelConfig))
@router.get(**route_docs("/models/{model}/versions/{version}/config", ModelConfig))
async def model_config(request: Request) -> Response:
    """A model's inputs and outputs without their first dimension, how many items a request may have, and how it runs.

    Batches are made of what waits, up to 64 items; larger requests are split.
    """
    state, name = state_of(request), request.path_params["model"]
    engine, interface = find(state.repository, name, request.path_params.get("version"))
    current_request.get().model_headers = engine.model.headers
    on_cpu = engine.model.provider == CPU
    return struct_response(
        ModelConfig(
            name,
            max_batch_size=state.settings.max_items,
            input=[*_inputs(interface.inputs, optional=False), *_inputs(interface.optional, optional=True)],
            output=[OutputConfig(each.name, f"TYPE_{each.datatype}", [*each.shape[1:]]) for each in interface.outputs],
            instance_group=[
                InstanceGroup(
                    name,
                    "KIND_CPU" if on_cpu else "KIND_GPU",
                    engine.scheduler.concurrency * state.settings.workers,
                    [] if on_cpu else [0],
                )
            ],
            dynamic_batching=DynamicBatching([min(MAX_BATCH, state.settings.max_items)]),
        )
    )


def _inputs(tensors: Iterable[TensorType], *, optional: bool) -> list[InputConfig]:
    return [InputConfig(each.name, f"TYPE_{each.datatype}", [*each.shape[1:]], optional) for each in tensors]
