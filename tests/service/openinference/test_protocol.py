"""Nothing that a client sends to the protocol's paths gives a 5xx."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.openinference.protocol import InferenceRequest, decode
from service.problems import Problem
from tests.service.openinference.asking import IMAGES, behind, binary, problem_of, tensor

MODELS = ("grey", "grey.encoder", "grey.decoder", "conditional.encoder", "codes", "group", "nope")
SIZES = {"image": (1, 32, 32), "z": (81,), "weights": (81,), "condition": (10,), "condition_known": (1,)}

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=()), max_size=8)
)
anything = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=8), inner, max_size=4))
)
tensors = st.sampled_from(list(SIZES)).map(lambda name: tensor(name, np.full((1, *SIZES[name]), 0.5)))
parameters = st.dictionaries(
    st.sampled_from(
        ["binary_data", "binary_data_size", "binary_data_output", "classification", "shared_memory_region"]
    ),
    st.one_of(anything, st.integers(0, 9000)),
    max_size=3,
)


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """A dictionary one of whose fields is gone, or has any other value."""
    content = dict(draw(whole))
    name = draw(st.sampled_from([*content, "parameters"]))
    content[name] = draw(st.one_of(anything, parameters, st.just(content.get(name))))
    if draw(st.booleans()):
        del content[name]
    return content


outputs = st.fixed_dictionaries({"name": st.sampled_from(["z", "weights", "image", "mean"])})
documents = st.fixed_dictionaries(
    {"inputs": st.lists(st.one_of(tensors, damaged(tensors)), max_size=3)},
    optional={
        "id": st.one_of(st.text(), anything),
        "outputs": st.one_of(anything, st.lists(st.one_of(outputs, damaged(outputs)), max_size=3)),
        "parameters": st.one_of(parameters, anything),
    },
)
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        problem_of(response, response.status_code)


@given(model=st.sampled_from(MODELS), document=st.one_of(documents, damaged(documents), anything))
@many
def test_no_json_document_gives_a_5xx(client: TestClient, model: str, document: Any):
    check(client.post(f"/v2/models/{model}/infer", content=json.dumps(document)))


TENSOR = '{"name": "z", "datatype": "FP32", "shape": [1, 81], "data": []}'


@pytest.mark.parametrize(
    "document",
    [
        f'{{"inputs": [{TENSOR.replace("81", ", ".join(["1"] * 2000))}]}}',
        f'{{"inputs": [{", ".join([TENSOR] * 5000)}]}}',
        f'{{"inputs": [{TENSOR}], "outputs": [{", ".join(["{}"] * 50_000)}]}}',
        f'{{"inputs": [{TENSOR}], "x": [{", ".join(["{}"] * 50_000)}]}}',
        f'{{"inputs": [{TENSOR}], "id": "{"x" * 70_000}"}}',
    ],
)
def test_what_is_no_tensor_may_not_be_much(document: str):
    with pytest.raises(Problem) as caught:
        decode(document.encode(), InferenceRequest)
    assert caught.value.status_code == 413


GOOD = binary({"inputs": [behind("image", IMAGES)], "parameters": {"binary_data_output": True}}, IMAGES)
LENGTH = int(GOOD["headers"]["Inference-Header-Content-Length"])


@given(
    changes=st.lists(st.tuples(st.integers(0, LENGTH + 64), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 40),
    length=st.one_of(st.just(LENGTH), st.integers(LENGTH - 20, LENGTH + 20), st.integers()),
)
@many
def test_no_damaged_binary_body_gives_a_5xx(client: TestClient, changes: list[tuple[int, int]], cut: int, length: int):
    content = bytearray(GOOD["content"])
    for place, value in changes:
        content[place] = value
    headers = {"Inference-Header-Content-Length": str(length)}
    check(client.post("/v2/models/grey.encoder/infer", content=bytes(content[: len(content) - cut]), headers=headers))


@given(content=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "deflate", "", "br"]))
@many
def test_no_bytes_give_a_5xx(client: TestClient, content: bytes, encoding: str):
    for path in ("/v2/models/grey.encoder/infer", "/v2/repository/index", "/v2/repository/models/grey/load"):
        check(client.post(path, content=content, headers={"Content-Encoding": encoding}))
