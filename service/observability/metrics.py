"""Prometheus metrics of all worker processes together.

Labels never come from clients, who could invent any number of them: a route is named as it is declared.
"""

from __future__ import annotations

import os
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from service.batching.jobs import DropReason
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
BATCH = Histogram("spritevae_batch_images", "Images of a batch", ("model",), buckets=IMAGES, registry=REGISTRY)
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
# The histogram of a method, route and status. Cached, as looking labels up takes as long as counting.
request_seconds = cache(REQUESTS.labels)


class SchedulerMetrics(SchedulerObserver):
    """Counts what a model's scheduler does."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._queue = QUEUE.labels(model)
        self._waited, self._batch, self._inference = (each.labels(model) for each in (WAITED, BATCH, INFERENCE))

    def queue_changed(self, rows: int) -> None:
        """Set the queue's length."""
        self._queue.set(rows)

    def batch_ran(self, rows: int, waited: float, seconds: float) -> None:
        """Count a batch."""
        self._batch.observe(rows)
        self._waited.observe(waited)
        self._inference.observe(seconds)

    def rows_dropped(self, reason: DropReason, rows: int) -> None:
        """Count images that are not run."""
        DROPPED.labels(self._model, reason).inc(rows)


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    of_all_workers = CollectorRegistry()
    MultiProcessCollector(of_all_workers)  # type: ignore[no-untyped-call]
    return generate_latest(of_all_workers)
