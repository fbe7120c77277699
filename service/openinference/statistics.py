"""GET /v2/models...stats: what models have done since the service started, all worker processes together.

Source: github.com/triton-inference-server/server (docs/protocol/extension_statistics.md). Everything is read from the
metrics. Batches are counted whichever route asks for them, requests only as those of /v2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter, time

from fastapi import Request, Response
from msgspec import Struct

from service.context import current_request
from service.observability.metrics import (
    families,
    infer_last_request,
    infer_phase_seconds,
    infer_request_seconds,
)
from service.openinference.interfaces import PARTS, VERSION, find
from service.openinference.openapi import protocol_router, route_docs
from service.openinference.protocol import struct_response
from service.state import state_of
from service.threads import in_thread

router = protocol_router()
# The engine's functions that run a model, by the suffix of the bundle's name.
FUNCTIONS = {"": ("draw",), ".encoder": ("encode", "predict"), ".decoder": ("decode",)}
# The phases of a request, by what the protocol calls them.
PHASES = {"queue": "queue", "compute_input": "reading", "compute_infer": "inference", "compute_output": "encoding"}
# Values of metrics by name and labels: the labels' values in the order of the labels' names.
Samples = dict[tuple[str, ...], float]


class Duration(Struct, frozen=True):
    """How often something was done, and how many nanoseconds that took in all."""

    count: int = 0
    ns: int = 0


class InferenceStatistics(Struct, frozen=True):
    """Requests: all that succeeded and failed, and where the time of those that succeeded went. Nothing is cached."""

    success: Duration
    fail: Duration
    queue: Duration
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration
    cache_hit: Duration = Duration()
    cache_miss: Duration = Duration()


class BatchStatistics(Struct, frozen=True):
    """Batches of one size. Inputs are read and outputs written by requests, so that batches have no time of these."""

    batch_size: int
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration


class ModelStatistics(Struct, frozen=True):
    """What a model has done; ``last_inference`` is when the last request came, in milliseconds since 1970."""

    name: str
    version: str
    last_inference: int
    inference_count: int
    execution_count: int
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics]


class Statistics(Struct, frozen=True):
    """What models have done."""

    model_stats: list[ModelStatistics]


@router.get(**route_docs("/models/stats", Statistics))
async def statistics(request: Request) -> Response:
    """What every model has done."""
    bundles = state_of(request).repository.engines
    return await _response((bundle, part) for bundle in bundles for part in PARTS)


@router.get(**route_docs("/models/{model}/stats", Statistics))
@router.get(**route_docs("/models/{model}/versions/{version}/stats", Statistics))
async def model_statistics(request: Request) -> Response:
    """What a model has done since the service started, in all workers. Times are in nanoseconds.

    `inference_count`, `execution_count` and `batch_stats` count all images and batches that it ran, also for routes
    such as /decode; the others, requests of /v2 only.
    """
    name: str = request.path_params["model"]
    engine, _ = find(state_of(request).repository, name, request.path_params.get("version"))
    current_request.get().model_headers = engine.model.headers
    return await _response([(engine.model.name, name.removeprefix(engine.model.name))])


@contextmanager
def counted(model: str) -> Iterator[None]:
    """Count the request in hand as one that runs ``model``: when it came, how it ends, and where its time goes."""
    request, result = current_request.get(), "fail"
    infer_last_request(model).set(time())
    try:
        yield
        result = "success"
    finally:
        infer_request_seconds(model, result).observe(perf_counter() - request.start)
    for name, phase in PHASES.items():
        infer_phase_seconds(model, name).inc(request.phases.get(phase, 0.0))


async def _response(models: Iterable[tuple[str, str]]) -> Response:
    found = await in_thread(_samples)
    return struct_response(Statistics([_of_model(found, bundle, part) for bundle, part in models]))


def _samples() -> Samples:
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families()
        for sample in family.samples
    }


def _of_model(found: Samples, bundle: str, part: str) -> ModelStatistics:
    model = bundle + part
    batches: defaultdict[int, list[float]] = defaultdict(lambda: [0, 0.0])  # number and seconds, by size
    for (metric, *labels), value in found.items():
        if metric.startswith("spritevae_batches_") and labels[0] in FUNCTIONS[part] and labels[2] == bundle:
            if metric.endswith("_count"):
                batches[int(labels[1])][0] += value
            elif metric.endswith("_sum"):
                batches[int(labels[1])][1] += value
    ran = {size: (int(count), seconds) for size, (count, seconds) in sorted(batches.items()) if count}
    success, fail = (
        _duration(
            found.get(("spritevae_infer_request_seconds_count", model, result), 0),
            found.get(("spritevae_infer_request_seconds_sum", model, result), 0),
        )
        for result in ("success", "fail")
    )
    phases = (found.get(("spritevae_infer_phase_seconds_total", model, name), 0) for name in PHASES)
    return ModelStatistics(
        model,
        VERSION,
        last_inference=int(1000 * found.get(("spritevae_infer_last_request_timestamp_seconds", model), 0)),
        inference_count=sum(size * count for size, (count, _) in ran.items()),
        execution_count=sum(count for count, _ in ran.values()),
        inference_stats=InferenceStatistics(success, fail, *(_duration(success.count, seconds) for seconds in phases)),
        batch_stats=[
            BatchStatistics(size, Duration(count), _duration(count, seconds), Duration(count))
            for size, (count, seconds) in ran.items()
        ],
    )


def _duration(count: float, seconds: float) -> Duration:
    return Duration(int(count), round(1e9 * seconds))
