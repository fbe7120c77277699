from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.inference.repository import ModelRepository
from service.settings import Settings
from tests.service.openinference.asking import infer, problem_of


def test_the_repository_is_no_extension_of_a_server_that_keeps_it_closed(client: TestClient):
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data", "model_configuration", "statistics"]


def test_while_models_are_being_loaded_the_server_is_live_and_not_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ModelRepository, "load", lambda self: None)
    with TestClient(create_app(settings)) as client:
        assert client.get("/v2/health/live").json() == {"live": True}
        for path in ("/v2/health/ready", "/v2/models/grey/ready", "/v2/models/grey"):
            assert problem_of(client.get(path), 503) == "models are being loaded"
        assert problem_of(infer(client, "grey.encoder"), 503) == "models are being loaded"
        index = client.post("/v2/repository/index").json()
        assert index[:2] == [{"name": "grey", "state": "LOADING"}, {"name": "grey.encoder", "state": "LOADING"}]


def test_once_loaded_it_is_ready(client: TestClient):
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/grey/ready").json() == {"name": "grey", "ready": True}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/grey/trace/setting", 404),
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/models/grey/infer", 405),
        ("POST", "/v2/models/grey", 405),
    ],
)
def test_what_is_not_there_has_a_message_for_clients_of_the_protocol(
    client: TestClient, method: str, path: str, status: int
):
    problem_of(client.request(method, path), status)


def test_other_paths_have_no_member_for_clients_of_the_protocol(client: TestClient):
    for path in ("/nowhere", "/v20", "/models/nope"):
        assert "error" not in client.get(path).json()


def test_no_answer_shows_a_path_of_the_server(client: TestClient, bundles: Path):
    for response in (client.get("/v2"), client.get("/v2/models/grey"), client.post("/v2/repository/index")):
        assert str(bundles) not in response.text
