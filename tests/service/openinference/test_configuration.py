from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from export.bundle import read_bundle
from service.app import create_app
from service.settings import Settings
from tests.service.openinference.asking import problem_of
from tests.service.toys import wait_until_ready


def test_a_configuration_has_what_tools_of_triton_look_for(client: TestClient, settings: Settings):
    config = client.get("/v2/models/colour/config").json()
    assert (config["name"], config["platform"], config["backend"]) == ("colour", "onnxruntime_onnx", "onnxruntime")
    assert config["max_batch_size"] == settings.max_items
    assert config["input"] == [{"name": "weights", "data_type": "TYPE_FP32", "dims": [81], "optional": False}]
    assert config["output"] == [{"name": "image", "data_type": "TYPE_UINT8", "dims": [28, 40, 3]}]
    assert config["version_policy"] == {"latest": {"num_versions": 1}}
    assert config["dynamic_batching"] == {"preferred_batch_size": [16], "max_queue_delay_microseconds": 0}


def test_inputs_and_outputs_are_those_of_the_metadata_without_the_number_of_items(client: TestClient, bundles: Path):
    assert read_bundle(bundles / "conditional").manifest.conditions
    for name in ("grey", "codes.encoder", "conditional.encoder", "group.decoder"):
        metadata, config = (client.get(f"/v2/models/{name}{part}").json() for part in ("", "/config"))
        for kind in ("input", "output"):
            described = [(each["name"], f"TYPE_{each['datatype']}", each["shape"][1:]) for each in metadata[f"{kind}s"]]
            assert [(each["name"], each["data_type"], each["dims"]) for each in config[kind]] == described


def test_inputs_that_may_be_left_out_are_marked(client: TestClient):
    inputs = client.get("/v2/models/conditional.encoder/config").json()["input"]
    optional = {each["name"]: each["optional"] for each in inputs}
    assert optional == {"image": False, "condition": True, "condition_known": True}


def test_instances_are_the_batches_that_run_at_once(bundles: Path):
    settings = Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu", batches=3)
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        (group,) = client.get("/v2/models/grey.encoder/config").json()["instance_group"]
    assert group == {"name": "grey.encoder", "kind": "KIND_CPU", "count": 3, "gpus": []}


@pytest.mark.parametrize("path", ["nope/config", "nope/versions/1/config", "grey/versions/2/config"])
def test_what_is_not_there_has_no_configuration(client: TestClient, path: str):
    assert "there is" in problem_of(client.get(f"/v2/models/{path}"), 404)
