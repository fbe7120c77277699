from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.service.openinference.asking import ENCODER, IMAGES, behind, binary, infer, outputs_of, problem_of, tensor
from tests.service.toy_systems import EPSILON, Array

Z = IMAGES.reshape(2, -1)[:, :81] + EPSILON


def with_value(value: Any) -> dict[str, Any]:
    """An image whose third number, as JSON, is another."""
    image = tensor("image", IMAGES)
    return {**image, "data": [*image["data"][:2], value, *image["data"][3:]]}


@pytest.mark.parametrize("data", [IMAGES.ravel().tolist(), IMAGES.tolist()], ids=["flat", "nested"])
def test_numbers_in_json_are_flat_or_nested(client: TestClient, data: list[Any]):
    outputs = outputs_of(infer(client, "grey.encoder", tensor("image", IMAGES, data=data)))
    np.testing.assert_allclose(outputs["z"], Z, rtol=1e-6)


def test_whole_numbers_are_numbers(client: TestClient):
    ones = tensor("image", IMAGES, data=[1] * IMAGES.size)
    np.testing.assert_allclose(outputs_of(infer(client, "grey.encoder", ones))["z"], 1 + EPSILON, rtol=1e-6)


@pytest.mark.parametrize("padding", range(4))
def test_bytes_behind_the_json_may_begin_anywhere(client: TestClient, padding: int):
    request = binary({"inputs": [behind("image", IMAGES)], "id": "x" * padding}, IMAGES)
    np.testing.assert_allclose(outputs_of(client.post(ENCODER, **request))["z"], Z, rtol=1e-6)


def test_tensors_in_json_and_behind_it_can_be_mixed(client: TestClient):
    weights, known = np.zeros((2, 10), np.float32), np.ones((2, 1), np.float32)
    weights[:, [2, 3]] = 1
    document = {"inputs": [behind("condition_known", known), tensor("image", IMAGES), behind("condition", weights)]}
    response = client.post("/v2/models/conditional.encoder/infer", **binary(document, known, weights))
    np.testing.assert_array_equal(outputs_of(response)["z"][:, :9], weights[:, :9])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (tensor("picture", IMAGES), "inputs[0].name: got 'picture'; accepts each once: image"),
        (tensor("image", IMAGES, datatype="FP64"), "inputs[0].datatype: got 'FP64'; accepts 'FP32' for image"),
        (tensor("image", IMAGES, datatype=32), "inputs[0].datatype: Expected `str`, got `int`"),
        (tensor("image", IMAGES, shape=[1, 32, 32]), "inputs[0].shape: got [1, 32, 32]; accepts [-1, 1, 32, 32]"),
        (tensor("image", IMAGES, shape=[2, 1, 16, 64]), "inputs[0].shape: got [2, 1, 16, 64]; accepts [-1, 1, 32, 32]"),
        (tensor("image", IMAGES, shape=[]), "inputs[0].shape: got []"),
        (tensor("image", IMAGES, shape=[0, 1, 32, 32]), "accepts [-1, 1, 32, 32] with 1 item or more"),
        (tensor("image", IMAGES, shape=[-2, 1, 32, 32]), "inputs[0].shape[0]: Expected `int` >= 0"),
        (tensor("image", IMAGES, shape=[2.5, 1, 32, 32]), "inputs[0].shape[0]: Expected `int`, got `float`"),
        (tensor("image", IMAGES, shape=[True, 1, 32, 32]), "inputs[0].shape[0]: Expected `int`, got `bool`"),
        (tensor("image", IMAGES, shape=None), "inputs[0].shape: Expected `array`, got `null`"),
        (tensor("image", IMAGES, data=[]), "inputs[0].data: got 0 values; accepts 2048"),
        (tensor("image", IMAGES, data=[0.5] * 2047), "inputs[0].data: got 2047 values; accepts 2048"),
        (tensor("image", IMAGES, data=IMAGES.reshape(2, -1).tolist()), "inputs[0].data[0][0]: Expected `array`"),
        (tensor("image", IMAGES, data=IMAGES.reshape(2, 1, 16, 64).tolist()), "lists of shape [2, 1, 16, 64]"),
        (tensor("image", IMAGES, data=[[[[0] * 2000]], [[[0] * 48]]]), "inputs[0].data: got lists of different"),
        (tensor("image", IMAGES, data="," * 2047), "inputs[0].data: Expected `array`, got `str`"),
        (with_value(True), "inputs[0].data[2]: Expected `float`, got `bool`"),
        (with_value(None), "inputs[0].data[2]: Expected `float`, got `null`"),
        (with_value("0.5"), "inputs[0].data[2]: Expected `float`, got `str`"),
        (with_value([0.5]), "inputs[0].data[2]: Expected `float`, got `array`"),
        (with_value(10**400), "inputs[0].data[2]: Number out of range"),
        (with_value(1e39), "inputs[0]: image[0, 0, 0, 2]: got inf; accepts a number from 0 to 1"),
        (with_value(-0.5), "inputs[0]: image[0, 0, 0, 2]: got -0.5; accepts a number from 0 to 1"),
        (with_value(255), "inputs[0]: image[0, 0, 0, 2]: got 255; accepts a number from 0 to 1"),
        (behind("image", IMAGES, parameters={}), "inputs[0]: got neither data nor binary_data_size"),
        (
            behind("image", IMAGES, parameters={"shared_memory_region": "x"}),
            "inputs[0].parameters: got shared_memory_region; accepts binary_data_size, or data",
        ),
    ],
)
def test_a_wrong_input_is_a_422_that_says_where_and_what(client: TestClient, image: dict[str, Any], message: str):
    assert message in problem_of(infer(client, "grey.encoder", image), 422)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "0x1"])
def test_what_is_no_number_of_json_is_a_400(client: TestClient, number: str):
    content = json.dumps({"inputs": [with_value(0.125)]}).replace("0.125", number)
    assert "malformed JSON" in problem_of(client.post(ENCODER, content=content), 400)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e-30, 1.001])
def test_a_wrong_number_behind_the_json_is_a_422_that_names_its_place(client: TestClient, value: float):
    images = IMAGES.copy()
    images[1, 0, 3, 4] = value
    message = problem_of(client.post(ENCODER, **binary({"inputs": [behind("image", images)]}, images)), 422)
    assert message == f"inputs[0]: image[1, 0, 3, 4]: got {np.float32(value):g}; accepts a number from 0 to 1"


@pytest.mark.parametrize(
    ("size", "sent", "status", "message"),
    [
        (8191, 8192, 422, "inputs[0].parameters.binary_data_size: got 8191; accepts 8192 for shape [2, 1, 32, 32]"),
        (10**30, 8192, 422, "binary_data_size: got 10000000000000000000; accepts 8192"),
        (-1, 8192, 422, "inputs[0].parameters.binary_data_size: Expected `int` >= 0"),
        ("8192", 8192, 422, "inputs[0].parameters.binary_data_size: Expected `int"),
        (8192, 8191, 400, "inputs[0]: the body has only 8191 of its 8192 bytes behind the JSON"),
        (8192, 8193, 400, "the body: 1 bytes behind the JSON that no input's binary_data_size announces"),
    ],
)
def test_sizes_must_be_right(client: TestClient, size: Any, sent: int, status: int, message: str):
    image = behind("image", IMAGES, parameters={"binary_data_size": size})
    request = binary({"inputs": [image]}, (IMAGES.tobytes() + b"x")[:sent])
    assert message in problem_of(client.post(ENCODER, **request), status)


def test_whole_numbers_may_be_written_with_a_fraction_of_nothing(client: TestClient):
    image = behind("image", IMAGES, shape=[2.0, 1, 32.0, 3.2e1], parameters={"binary_data_size": 8192.0})
    plain = client.post(ENCODER, **binary({"inputs": [behind("image", IMAGES)]}, IMAGES))
    assert client.post(ENCODER, **binary({"inputs": [image]}, IMAGES)).content == plain.content
    assert infer(client, "grey.encoder", tensor("image", IMAGES, shape=[2.0, 1, 32, 32])).status_code == 200


def test_data_in_both_places_is_refused(client: TestClient):
    image = behind("image", IMAGES, data=IMAGES.ravel().tolist())
    message = problem_of(client.post(ENCODER, **binary({"inputs": [image]}, IMAGES)), 422)
    assert message == "inputs[0]: got both data and binary_data_size; accepts one of them"


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        ("grey.encoder", [], "inputs: lack image"),
        ("grey.encoder", [tensor("image", IMAGES)] * 2, "inputs[1].name: got 'image'; accepts each once"),
        ("grey.decoder", [tensor("image", IMAGES)], "inputs[0].name: got 'image'; accepts each once: z"),
        (
            "conditional.encoder",
            [tensor("image", IMAGES), tensor("condition", zeros(2, 10))],
            "inputs: lack condition_known (optional, but together: condition, condition_known)",
        ),
        (
            "conditional.encoder",
            [
                tensor("image", IMAGES),
                tensor("condition", zeros(3, 10)),
                tensor("condition_known", zeros(2, 1)),
            ],
            "inputs: of different numbers of items: image 2, condition 3, condition_known 2",
        ),
        (
            "conditional.encoder",
            [tensor("condition_known", zeros(2, 1), data=[0, 2]), tensor("image", IMAGES)],
            "inputs[0]: condition_known[1, 0]: got 2; accepts a number from 0 to 1",
        ),
    ],
)
def test_inputs_must_be_complete_and_fit_together(
    client: TestClient, model: str, inputs: list[dict[str, Any]], message: str
):
    assert message in problem_of(infer(client, model, *inputs), 422)
