from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient


def test_models_are_listed_with_the_default(client: TestClient):
    answer = client.get("/models").json()
    assert answer["default"] == "grey"
    assert [model["name"] for model in answer["models"]] == ["grey", "colour", "alpha", "codes", "conditional", "group"]


def test_a_model_tells_what_a_client_needs(client: TestClient):
    response = client.get("/models/codes")
    answer = response.json()
    assert answer["provider"] == response.headers["X-Execution-Provider"] == "CPUExecutionProvider"
    assert answer["digest"] == response.headers["X-Model-Digest"]
    assert answer["image"] == {"height": 32, "width": 32, "channels": 1}
    assert answer["latent_length"] == 5
    assert answer["scores"] == {"mig": 1.0}
    shape = answer["attributes"][0]
    assert shape["labels"] == ["square", "ellipse", "heart"]
    assert shape["mixing"] == "nearest"
    assert answer["attributes"][2]["period"] == 39


def test_an_unknown_model_is_a_404_that_lists_what_there_is(client: TestClient):
    for response in (
        client.get("/models/nope"),
        client.get("/decode?model=nope"),
        client.post("/encode?model=nope"),
        client.post("/interpolate?model=nope", json={}),
    ):
        assert response.status_code == 404
        assert response.json()["models"] == ["grey", "colour", "alpha", "codes", "conditional", "group"]


def test_no_answer_shows_a_path_of_the_server(client: TestClient, bundles: Path):
    for path in ("/models", "/models/grey", "/models/nope", "/openapi.json", "/health/ready", "/nowhere"):
        text = client.get(path).text
        assert str(bundles) not in text
        assert str(Path.cwd()) not in text


def test_models_say_what_they_can_be_told_and_shown(client: TestClient):
    models = {model["name"]: model for model in client.get("/models").json()["models"]}
    assert [models[name]["conditions"] for name in ("grey", "conditional")] == [[], ["shape", "scale"]]
    assert [models[name]["group"] for name in ("grey", "group")] == [None, "digit"]


def test_continuous_attributes_tell_their_limits_and_others_have_none(client: TestClient):
    digit, style, _ = client.get("/models/group").json()["attributes"]
    assert (style["range"], style["limits"]) == ([-2, 2], [-4, 4])
    assert digit["limits"] is None
    *discrete, style = client.get("/models/codes").json()["attributes"]
    assert (style["range"], style["limits"]) == ([-3, 3], [-3, 3])
    assert {attribute["limits"] for attribute in discrete} == {None}
