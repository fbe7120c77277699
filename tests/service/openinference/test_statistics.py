from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.openinference.statistics import FUNCTIONS
from service.settings import Settings
from tests.service.openinference.asking import IMAGES, infer, outputs_of, problem_of, tensor
from tests.service.processes import running, wait_until
from tests.service.toys import wait_until_ready

STATISTICS = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")


@pytest.fixture(scope="module")
def counting(bundles: Path) -> Iterator[TestClient]:
    """A service whose models have one batch at a time, so that requests one after the other have one each."""
    models = tuple(str(bundles / name) for name in ("grey", "codes"))
    settings = Settings(_env_file=None, model=models, device="cpu", batches=1, cache_bytes=0)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield wait_until_ready(client)


def statistics(client: Any, model: str) -> dict[str, Any]:
    """What a model has done."""
    (found,) = client.get(f"/v2/models/{model}/stats").json()["model_stats"]
    assert (found["name"], found["version"]) == (model, "1")
    return dict(found)


def numbers(found: dict[str, Any]) -> dict[str, int]:
    """All that is counted, each by where it stands."""
    flat = {name: found[name] for name in ("last_inference", "inference_count", "execution_count")}
    for name in STATISTICS:
        flat |= {f"{name}.{unit}": value for unit, value in found["inference_stats"][name].items()}
    for batch in found["batch_stats"]:
        for name in ("compute_input", "compute_infer", "compute_output"):
            flat |= {f"{batch['batch_size']}.{name}.{unit}": value for unit, value in batch[name].items()}
    assert all(type(value) is int for value in flat.values())
    return flat


def grown(client: Any, model: str, before: dict[str, Any]) -> dict[str, int]:
    """How much each number has grown; none falls."""
    then, now = numbers(before), numbers(statistics(client, model))
    difference = {name: value - then.get(name, 0) for name, value in now.items()}
    assert min(difference.values()) >= 0
    return difference


def ask(client: TestClient, images: int = 1) -> float:
    """Have grey.encoder read so many images; how many nanoseconds that took its client."""
    start = time.perf_counter_ns()
    image = np.resize(IMAGES, (images, 1, 32, 32))
    assert outputs_of(infer(client, "grey.encoder", tensor("image", image)))
    return time.perf_counter_ns() - start


def test_requests_are_counted_with_their_images_batches_and_times(counting: TestClient):
    before = statistics(counting, "grey.encoder")
    began = time.time()
    took = ask(counting, 2) + ask(counting, 2) + ask(counting, 5)
    more = grown(counting, "grey.encoder", before)
    assert (more["inference_count"], more["execution_count"]) == (9, 3)
    assert (more["2.compute_infer.count"], more["5.compute_infer.count"]) == (2, 1)
    for name in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        assert more[f"{name}.count"] == 3
        assert more[f"{name}.ns"] > 0
    parts = sum(more[f"{name}.ns"] for name in ("queue", "compute_input", "compute_infer", "compute_output"))
    assert parts < more["success.ns"] < took
    assert more["2.compute_infer.ns"] + more["5.compute_infer.ns"] == pytest.approx(more["compute_infer.ns"], abs=10)
    assert more["fail.count"] == more["fail.ns"] == 0
    assert 1000 * began - 1 <= statistics(counting, "grey.encoder")["last_inference"] <= 1000 * time.time()


def test_a_large_request_is_one_inference_in_several_batches(counting: TestClient):
    before = statistics(counting, "grey.encoder")
    ask(counting, 150)
    more = grown(counting, "grey.encoder", before)
    assert (more["inference_count"], more["success.count"], more["compute_infer.count"]) == (150, 1, 1)
    sizes = {size: more.get(f"{size}.compute_infer.count", 0) for size in range(1, 65)}
    assert sum(size * batches for size, batches in sizes.items()) == 150
    assert sum(sizes.values()) == more["execution_count"] > 2


def test_a_request_that_fails_is_counted_as_one_that_fails(counting: TestClient):
    before = statistics(counting, "grey.encoder")
    problem_of(infer(counting, "grey.encoder", tensor("image", IMAGES[:, :, :5])), 422)
    problem_of(counting.post("/v2/models/grey.encoder/infer", content=b"{"), 400)
    late = {"X-Request-Timeout-Ms": "1"}
    body = {"inputs": [tensor("image", np.resize(IMAGES, (200, 1, 32, 32)))]}
    problem_of(counting.post("/v2/models/grey.encoder/infer", json=body, headers=late), 504)
    more = grown(counting, "grey.encoder", before)
    assert (more["fail.count"], more["success.count"], more["queue.count"]) == (3, 0, 0)
    assert more["fail.ns"] > 0


def test_each_model_of_a_bundle_has_its_own(counting: TestClient):
    names = ["grey", "grey.encoder", "grey.decoder", "codes", "codes.encoder"]
    before = {name: statistics(counting, name) for name in names}
    outputs_of(infer(counting, "grey.decoder", tensor("z", np.zeros((3, 81), np.float32))))
    outputs_of(infer(counting, "grey", tensor("weights", np.ones((2, 81), np.float32))))
    counts = {name: grown(counting, name, before[name])["inference_count"] for name in names}
    assert counts == {"grey": 2, "grey.encoder": 0, "grey.decoder": 3, "codes": 0, "codes.encoder": 0}


def test_batches_of_other_routes_are_counted_too(counting: TestClient):
    before = {name: statistics(counting, name) for name in ("grey", "grey.encoder")}
    image = counting.post("/decode", json={"attributes": {}})
    assert counting.post("/encode", content=image.content, headers={"Content-Type": "image/png"}).status_code == 200
    for name, earlier in before.items():
        more = grown(counting, name, earlier)
        assert (more["inference_count"], more["execution_count"], more["1.compute_infer.count"]) == (1, 1, 1)
        assert more["success.count"] == 0


def test_all_models_are_told_at_once_and_a_version_alone(counting: TestClient):
    found = counting.get("/v2/models/stats").json()["model_stats"]
    assert [each["name"] for each in found] == [
        "grey", "grey.encoder", "grey.decoder", "codes", "codes.encoder", "codes.decoder"
    ]  # fmt: skip
    for each in found:
        one = counting.get(f"/v2/models/{each['name']}/versions/1/stats")
        assert one.json() == {"model_stats": [each]}
        assert counting.get(f"/v2/models/{each['name']}/stats").json() == one.json()


@pytest.mark.parametrize("path", ["nope/stats", "nope/versions/1/stats", "grey/versions/2/stats"])
def test_what_is_not_there_has_no_statistics(counting: TestClient, path: str):
    assert "there is" in problem_of(counting.get(f"/v2/models/{path}"), 404)


def test_a_model_that_is_changed_counts_on(bundles: Path):
    settings = Settings(
        _env_file=None, model=(str(bundles / "grey"),), device="cpu", admin=True, api_keys="a-key-of-an-admin:admin"
    )
    with TestClient(create_app(settings), headers={"X-API-Key": "a-key-of-an-admin"}) as client:
        wait_until_ready(client)
        ask(client)
        before = statistics(client, "grey.encoder")
        assert client.post("/v2/repository/models/grey/load").status_code == 200
        ask(client)
        assert grown(client, "grey.encoder", before)["inference_count"] == 1


def test_all_workers_are_counted_together(bundles: Path):
    with running(bundles / "grey", "--workers", "2") as service:
        body = {"inputs": [tensor("image", IMAGES)]}
        for _ in range(20):
            answer = httpx2.post(f"{service.url}/v2/models/grey.encoder/infer", json=body)
            assert answer.status_code == 200
        wait_until(lambda: len(service.workers) == 2)
        with httpx2.Client(base_url=service.url) as client:
            found = numbers(statistics(client, "grey.encoder"))
        assert (found["inference_count"], found["success.count"], found["queue.count"]) == (40, 20, 20)
        assert found["last_inference"] > 0


def test_every_function_that_runs_a_model_is_counted_for_one_of_its_models(counting: TestClient):
    """Those that an engine makes."""
    engine = counting.app.service.repository.engine("grey")  # type: ignore[attr-defined]
    made = {value.__name__ for value in vars(engine).values() if callable(value) and hasattr(value, "__name__")}
    assert made == {name for names in FUNCTIONS.values() for name in names}
