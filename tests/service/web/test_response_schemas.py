from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from starlette.testclient import TestClient

from service.web.response_schemas import (
    DecodeAnswer,
    EncodeAnswer,
    Health,
    InterpolateAnswer,
    ModelInfo,
    ModelList,
)
from tests.service.toys import image

JSON = {"Accept": "application/json"}
MODELS = ["grey", "colour", "alpha", "codes", "conditional", "group"]


def fits(schema: type[BaseModel], answer: Any) -> None:
    """An answer has what its schema says, and nothing more."""
    assert answer.status_code == 200, answer.text
    schema.model_validate_json(answer.content, extra="forbid")


@pytest.mark.parametrize("model", MODELS)
def test_images_as_json_are_as_documented(client: TestClient, model: str):
    fits(DecodeAnswer, client.get(f"/decode?model={model}", headers=JSON))
    z = [0.5] * client.get(f"/models/{model}").json()["latent_length"]
    fits(DecodeAnswer, client.post(f"/decode?model={model}", json={"z": z}, headers=JSON))
    fits(InterpolateAnswer, client.post(f"/interpolate?model={model}", json={"from": {}, "to": {}}, headers=JSON))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("detail", ["", "&detail=weights", "&detail=posterior"])
def test_what_is_read_from_images_is_as_documented(client: TestClient, model: str, detail: str):
    drawn = client.get(f"/decode?model={model}").content
    answer = client.post(f"/encode?model={model}{detail}", content=drawn, headers={"Content-Type": "image/png"})
    fits(EncodeAnswer, answer)


def test_edits_are_as_documented(client: TestClient):
    fits(DecodeAnswer, client.post("/edit", json={"image": image({0: 1}), "set": {"scale": 1}}, headers=JSON))


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_told_as_documented(client: TestClient, model: str):
    fits(ModelInfo, client.get(f"/models/{model}"))


def test_lists_and_health_are_as_documented(client: TestClient):
    fits(ModelList, client.get("/models"))
    for name in ("live", "ready"):
        fits(Health, client.get(f"/health/{name}"))
