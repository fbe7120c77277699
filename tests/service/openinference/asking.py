"""Requests of the protocol as bytes, as a client would send them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import tritonclient.http as triton
from starlette.testclient import TestClient

from tests.service.toy_systems import Array

ADMIN_KEY = "a-key-for-those-who-load"
ENCODER = "/v2/models/grey.encoder/infer"
IMAGES = np.random.default_rng(0).random((2, 1, 32, 32), np.float32)


class WithKey(triton.InferenceServerClientPlugin):
    """A plugin of Triton's client, as its authors mean it: every request bears the API key."""

    def __call__(self, request: triton.Request) -> None:
        request.headers["X-API-Key"] = ADMIN_KEY


def tensor(name: str, values: Array, **fields: Any) -> dict[str, Any]:
    """An input whose values stand in the JSON; ``fields`` replace what it says."""
    return {
        "name": name,
        "shape": list(values.shape),
        "datatype": "FP32",
        "data": values.ravel().tolist(),
        **fields,
    }


def behind(name: str, values: Array, **fields: Any) -> dict[str, Any]:
    """An input whose values stand behind the JSON."""
    described = {**tensor(name, values), "parameters": {"binary_data_size": values.nbytes}, **fields}
    return {key: value for key, value in described.items() if key != "data" or "data" in fields}


def binary(document: Any, *tensors: Array | bytes, length: str | None = None) -> dict[str, Any]:
    """Content and headers of a request with tensors behind its JSON, whose length may be another than it says."""
    header = json.dumps(document).encode()
    content = header + b"".join(t if isinstance(t, bytes) else t.tobytes() for t in tensors)
    given = str(len(header)) if length is None else length
    return {"content": content, "headers": {"Inference-Header-Content-Length": given}}


def outputs_of(response: Any) -> dict[str, Array]:
    """The output tensors of an answer, in JSON or behind it."""
    assert response.status_code == 200, response.text
    length = int(response.headers.get("Inference-Header-Content-Length", len(response.content)))
    rest, arrays = response.content[length:], {}
    for output in json.loads(response.content[:length])["outputs"]:
        dtype = {"FP32": "<f4", "UINT8": "u1"}[output["datatype"]]
        if "data" in output:
            array = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            array, rest = np.frombuffer(rest[:size], dtype), rest[size:]
        arrays[output["name"]] = array.reshape(output["shape"])
    assert not rest
    return arrays


def problem_of(response: Any, status: int) -> str:
    """The message of a problem of that status, where clients of the protocol look for it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["error"] == document["detail"]
    return str(document["error"])


def infer(client: TestClient, model: str, *tensors: dict[str, Any], **fields: Any) -> Any:
    """The answer to a request in JSON."""
    return client.post(f"/v2/models/{model}/infer", json={"inputs": list(tensors), **fields})
