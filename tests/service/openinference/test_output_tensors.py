from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.openinference.output_tensors import response
from service.openinference.protocol import InferenceRequest
from service.problems import Problem
from tests.service.openinference.asking import IMAGES, infer, outputs_of, problem_of, tensor

IMAGE = tensor("image", IMAGES)


def wanted(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "parameters": parameters}


def test_outputs_come_as_they_are_asked_for(client: TestClient):
    response = infer(client, "codes.encoder", IMAGE, outputs=[wanted("logvar"), wanted("z", binary_data=True)], id="é")
    assert response.headers["content-type"] == "application/octet-stream"
    outputs = outputs_of(response)
    assert list(outputs) == ["logvar", "z"]
    everything = infer(client, "codes.encoder", IMAGE)
    assert everything.headers["content-type"] == "application/json"
    assert "Inference-Header-Content-Length" not in everything.headers
    for name, array in outputs.items():
        np.testing.assert_array_equal(array, outputs_of(everything)[name])


@pytest.mark.parametrize(("whole", "own", "is_binary"), [(True, None, True), (True, False, False), (False, True, True)])
def test_an_output_says_more_than_the_request(client: TestClient, whole: bool, own: bool | None, is_binary: bool):
    response = infer(
        client,
        "grey.encoder",
        IMAGE,
        outputs=[wanted("z", binary_data=own)],
        parameters={"binary_data_output": whole},
    )
    assert (response.headers["content-type"] == "application/octet-stream") is is_binary
    outputs_of(response)


def test_pixels_are_whole_numbers_in_json(client: TestClient):
    answer = infer(client, "grey", tensor("weights", np.ones((1, 81), np.float32))).json()
    (image,) = answer["outputs"]
    assert (image["datatype"], image["shape"]) == ("UINT8", [1, 32, 32, 1])
    assert image["data"][:3] == [85, 85, 85]
    assert image["data"][3:9] == [42] * 6 or image["data"][3:9] == [43] * 6  # 255 / 6 lies between


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (wanted("mean"), "outputs[0].name: got 'mean'; accepts each once: weights, z"),
        (wanted("z", classification=3), "outputs[0].parameters: got classification or shared memory; accepts"),
        (wanted("z", shared_memory_region="x"), "outputs[0].parameters: got classification or shared memory; accepts"),
        (wanted("z", binary_data=1), "outputs[0].parameters.binary_data: Expected `bool | null`, got `int`"),
        ({"name": 3}, "outputs[0].name: Expected `str`, got `int`"),
        ("z", "outputs[0]: Expected `object`, got `str`"),
    ],
)
def test_an_output_that_can_not_be_is_a_422(client: TestClient, output: Any, message: str):
    assert message in problem_of(infer(client, "grey.encoder", IMAGE, outputs=[output]), 422)


def test_an_output_can_not_be_asked_for_twice(client: TestClient):
    message = problem_of(infer(client, "grey.encoder", IMAGE, outputs=[wanted("z"), wanted("z")]), 422)
    assert message == "outputs[1].name: got 'z'; accepts each once: weights, z"


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_never_sent(binary: bool, value: float):
    images = np.where(np.arange(4) == 2, np.float32(value), np.float32(0))[None]
    with pytest.raises(Problem, match="the model gives no finite image there") as caught:
        response("grey.decoder", "0", InferenceRequest([]), {"image": images}, {"image": binary})
    assert caught.value.status_code == 422
