from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.service.openinference.asking import ENCODER, IMAGES, behind, binary, infer, outputs_of, problem_of, tensor
from tests.service.toy_systems import EPSILON, Array


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def test_answers_tell_the_model_and_its_version(client: TestClient):
    response = infer(client, "grey.encoder", tensor("image", IMAGES))
    assert response.json()["model_name"] == "grey.encoder"
    assert response.json()["model_version"] == "1"
    digest = client.get("/models/grey").json()["digest"]
    assert response.headers["X-Model-Digest"] == digest
    assert response.headers["X-Execution-Provider"] == "CPUExecutionProvider"


def test_much_json_is_read_and_written_as_little_is(client: TestClient):
    images = np.random.default_rng(1).random((16, 1, 32, 32), np.float32)
    z = outputs_of(infer(client, "grey.encoder", tensor("image", images)))["z"]
    np.testing.assert_allclose(z, images.reshape(16, -1)[:, :81] + EPSILON, rtol=1e-6)
    drawn = outputs_of(infer(client, "grey.decoder", tensor("z", z)))["image"]
    np.testing.assert_allclose(drawn.reshape(16, -1)[:, :81], z, rtol=1e-6)
    images[15, 0, 31, 31] = 2
    message = problem_of(infer(client, "grey.encoder", tensor("image", images)), 422)
    assert message == "inputs[0]: image[15, 0, 31, 31]: got 2; accepts a number from 0 to 1"


def test_more_items_than_allowed_are_a_413(client: TestClient):
    many = tensor("z", zeros(17, 81))
    message = problem_of(infer(client, "grey.decoder", many), 413)
    assert message == "inputs[0].shape: 17 items; accepts at most 16"
    assert outputs_of(infer(client, "grey.decoder", tensor("z", zeros(16, 81))))["image"].shape == (16, 1, 32, 32)


def test_fields_that_are_not_known_or_null_pass(client: TestClient):
    image = tensor("image", IMAGES, parameters={"content_type": "np", "binary_data_size": None})
    response = infer(
        client, "grey.encoder", image, model_name="x", id=None, outputs=None, parameters={"priority": 1, "mine": [2]}
    )
    assert outputs_of(response)["z"].shape == (2, 81)
    assert "id" not in response.json()


def test_a_version_in_the_path_runs_the_same_model(client: TestClient):
    document = {"inputs": [tensor("image", IMAGES)]}
    answers = [client.post(f"/v2/models/grey.encoder{part}/infer", json=document) for part in ("", "/versions/1")]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["model_version"] == "1"
    problem_of(client.post("/v2/models/grey.encoder/versions/2/infer", json=document), 404)


def test_the_time_of_tensors_in_and_out_and_of_inference_is_said(client: TestClient):
    timing = infer(client, "grey.encoder", tensor("image", IMAGES)).headers["Server-Timing"]
    assert {"reading", "queue", "inference", "encoding"} <= {phase.partition(";")[0] for phase in timing.split(", ")}


def repeated(document: Any, found: str, again: str) -> bytes:
    """The JSON of a document with one of its members a second time."""
    text = json.dumps(document)
    assert text.count(found) == 1
    return text.replace(found, f"{again}{found}").encode()


@pytest.mark.parametrize(
    ("found", "again"),
    [
        ('"inputs": ', '"inputs": [], '),
        ('"id": ', '"id": "first", '),
        ('"name": ', '"name": "image", '),
        ('"shape": ', '"shape": [2, 1, 32, 32], '),
        ('"data": ', '"data": [0], '),
        ('"data": ', '"d\\u0061ta": [0], '),
        ('"mine": ', '"mine": {}, '),
        ('"deep": ', '"deep": 1, '),
    ],
)
def test_a_key_given_twice_is_a_400(client: TestClient, found: str, again: str):
    image = tensor("image", IMAGES, parameters={"mine": {"deep": [1]}})
    document = {"id": "x", "inputs": [image]}
    assert client.post(ENCODER, json=document).status_code == 200
    message = problem_of(client.post(ENCODER, content=repeated(document, found, again)), 400)
    assert "is there twice" in message


@pytest.mark.parametrize(
    ("found", "again"),
    [
        ('"inputs": ', '"inputs": [], '),
        ('"shape": ', '"shape": [2, 1, 32, 32], '),
        ('"parameters": ', '"parameters": {}, '),
        ('"binary_data_size": ', '"binary_data_size": 8192, '),
    ],
)
def test_a_key_given_twice_before_binary_tensors_is_a_400(client: TestClient, found: str, again: str):
    document = {"inputs": [behind("image", IMAGES)]}
    assert client.post(ENCODER, **binary(document, IMAGES)).status_code == 200
    content = repeated(document, found, again)
    headers = {"Inference-Header-Content-Length": str(len(content))}
    message = problem_of(client.post(ENCODER, content=content + IMAGES.tobytes(), headers=headers), 400)
    assert "is there twice" in message
