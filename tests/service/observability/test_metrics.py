from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.processes import Running, running, wait_until
from tests.service.toys import wait_until_ready


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name and the labels' values."""
    return {
        (sample.name, tuple(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_request_and_its_batch_are_counted(client: TestClient):
    before = samples(client.get("/metrics").text)
    client.get("/decode")
    client.post("/decode", json={"attributes": [{}] * 3})
    client.get("/nowhere/at/all")
    client.request("BREW", "/decode")
    after = samples(client.get("/metrics").text)

    def grown(name: str, *labels: str) -> float:
        return after.get((name, labels), 0.0) - before.get((name, labels), 0.0)

    assert grown("spritevae_request_seconds_count", "GET", "/decode", "200") == 1
    assert grown("spritevae_request_seconds_count", "POST", "/decode", "200") == 1
    assert grown("spritevae_request_seconds_count", "GET", "other", "404") == 1
    assert grown("spritevae_request_seconds_count", "other", "/decode", "405") == 1
    assert grown("spritevae_batch_images_sum", "grey") == 4
    # Idle threads may have shared the three.
    batches = grown("spritevae_batch_images_count", "grey")
    assert 2 <= batches <= 4
    assert grown("spritevae_inference_seconds_count", "grey") == batches
    assert after["spritevae_queue_images", ("grey",)] == 0
    assert not any("nowhere" in value for _, labels in after for value in labels)


def test_sizes_of_batches_are_shown_as_a_histogram(bundles: Path):
    model = str(bundles / "codes")
    with TestClient(create_app(Settings(_env_file=None, model=(model,), device="cpu", batches=1))) as client:
        wait_until_ready(client)
        before = samples(client.get("/metrics").text)
        for images in (1, 3, 5, 9):  # none is split, wherever batches are run
            client.post("/decode", json={"z": [[images / 100] * 5] * images})
        text = client.get("/metrics").text
    after = samples(text)
    name = "spritevae_batch_images"
    bounds = ("1.0", "2.0", "4.0", "8.0", "16.0", "32.0", "64.0", "+Inf")
    keys = {bound: (f"{name}_bucket", (bound, "codes")) for bound in bounds}
    buckets = {bound: after[key] - before[key] for bound, key in keys.items()}
    assert buckets == {"1.0": 1, "2.0": 1, "4.0": 2, "8.0": 3, "16.0": 4, "32.0": 4, "64.0": 4, "+Inf": 4}
    assert after[f"{name}_sum", ("codes",)] - before[f"{name}_sum", ("codes",)] == 18
    assert after[f"{name}_count", ("codes",)] - before[f"{name}_count", ("codes",)] == 4
    assert "images=" not in text


def test_a_model_tells_its_digest_and_provider(settings: Settings):
    with TestClient(create_app(settings)) as client:  # a service of its own: others may have unloaded the model
        wait_until_ready(client)
        digest = client.get("/models/grey").json()["digest"]
        told = samples(client.get("/metrics").text)
    assert told["spritevae_model_info", (digest, "grey", "CPUExecutionProvider")] == 1


def test_workers_are_counted_together_and_one_that_died_is_not_forgotten(bundles: Path):
    with running(bundles / "grey", "--workers", "2", "--cache-bytes", "0") as service:
        for _ in range(20):
            httpx2.get(f"{service.url}/decode")
        assert counted(service) == 20
        victim = service.workers[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in service.workers and len(service.workers) == 2)
        for _ in range(5):
            httpx2.get(f"{service.url}/decode")
        assert counted(service) == 25


def counted(service: Running) -> float:
    told = samples(httpx2.get(f"{service.url}/metrics").text)
    return told["spritevae_request_seconds_count", ("GET", "/decode", "200")]
