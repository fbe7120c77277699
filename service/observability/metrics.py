"""Prometheus metrics of all worker processes together.

Labels never come from clients, who could invent any number of them: a route is named as it is declared.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    Summary,
    generate_latest,
)
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.batching.jobs import BatchFunction, DropReason
from service.batching.scheduler import SchedulerObserver

# The default registry would also tell Python's version, which helps only attackers.
REGISTRY = CollectorRegistry()
GCCollector(registry=REGISTRY)
ProcessCollector(registry=REGISTRY)
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
IMAGES = (1, 2, 4, 8, 16, 32, 64)

REQUESTS = Histogram(
    "spritevae_request_seconds",
    "Time from a request's head to the end of its answer",
    ("method", "route", "status"),
    buckets=SECONDS,
    registry=REGISTRY,
)
QUEUE = Gauge("spritevae_queue_images", "Images that wait", ("model",), multiprocess_mode="livesum", registry=REGISTRY)
WAITED = Histogram(
    "spritevae_queue_seconds", "Longest wait of a batch's images", ("model",), buckets=SECONDS, registry=REGISTRY
)
BATCHES = Summary(
    "spritevae_batches",
    "Time of batches of each size",
    ("model", "function", "images"),
    registry=REGISTRY,
)
INFERENCE = Histogram(
    "spritevae_inference_seconds", "Time a batch takes", ("model",), buckets=SECONDS, registry=REGISTRY
)
DROPPED = Counter("spritevae_dropped_images", "Images that were not run", ("model", "reason"), registry=REGISTRY)
CACHE = Counter("spritevae_cache_lookups", "Lookups of answers", ("result",), registry=REGISTRY)
CACHE_BYTES = Gauge(
    "spritevae_cache_bytes", "Size of the answers that are kept", multiprocess_mode="livesum", registry=REGISTRY
)
MODEL = Gauge(
    "spritevae_model_info",
    "Models that are served",
    ("model", "digest", "provider"),
    multiprocess_mode="livemax",
    registry=REGISTRY,
)
INFER_REQUESTS = Summary(
    "spritevae_infer_request_seconds", "Time of inference requests of /v2", ("model", "result"), registry=REGISTRY
)
INFER_PHASES = Counter(
    "spritevae_infer_phase_seconds", "Where the time of those that succeed goes", ("model", "phase"), registry=REGISTRY
)
INFER_LAST = Gauge(
    "spritevae_infer_last_request_timestamp_seconds",
    "When the last one came",
    ("model",),
    multiprocess_mode="max",
    registry=REGISTRY,
)
# What counts for these labels, in the order above. Cached, as looking labels up takes as long as counting.
request_seconds = cache(REQUESTS.labels)
batch_seconds = cache(BATCHES.labels)
infer_request_seconds = cache(INFER_REQUESTS.labels)
infer_phase_seconds = cache(INFER_PHASES.labels)
infer_last_request = cache(INFER_LAST.labels)


class SchedulerMetrics(SchedulerObserver):
    """Counts what a model's scheduler does."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._queue = QUEUE.labels(model)
        self._waited, self._inference = WAITED.labels(model), INFERENCE.labels(model)
        batch_seconds(model, "draw", 1)  # so that the histogram of sizes is there before the first batch

    def queue_changed(self, rows: int) -> None:
        """Set the queue's length."""
        self._queue.set(rows)

    def batch_ran(self, function: BatchFunction, rows: int, waited: float, seconds: float) -> None:
        """Count a batch."""
        batch_seconds(self._model, function.__name__, rows).observe(seconds)
        self._waited.observe(waited)
        self._inference.observe(seconds)

    def rows_dropped(self, reason: DropReason, rows: int) -> None:
        """Count images that are not run."""
        DROPPED.labels(self._model, reason).inc(rows)


def families() -> Iterable[Metric]:
    """All that is measured, of all workers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY.collect()
    return MultiProcessCollector(CollectorRegistry()).collect()  # type: ignore[no-untyped-call, no-any-return]


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    shown = CollectorRegistry()
    shown.register(_Shown())
    return generate_latest(shown)


class _Shown(Collector):
    """What clients see: a histogram of the sizes of batches, as hundreds of exact ones would be too many series."""

    def collect(self) -> Iterable[Metric]:
        """The families of metrics."""
        for family in families():
            yield _sizes(family) if family.name == "spritevae_batches" else family


def _sizes(batches: Metric) -> Metric:
    """The histogram of the images of a batch, by model."""
    counts: dict[str, list[float]] = {}
    images: dict[str, float] = {}
    for sample in batches.samples:
        if sample.name.endswith("_count"):
            model, size = sample.labels["model"], int(sample.labels["images"])
            counts.setdefault(model, [0.0] * (len(IMAGES) + 1))[bisect_left(IMAGES, size)] += sample.value
            images[model] = images.get(model, 0.0) + size * sample.value
    family = HistogramMetricFamily("spritevae_batch_images", "Images of a batch", labels=("model",))
    bounds = [*(f"{float(bound)}" for bound in IMAGES), "+Inf"]
    for model, found in counts.items():
        family.add_metric((model,), list(zip(bounds, accumulate(found), strict=True)), images[model])
    return family
