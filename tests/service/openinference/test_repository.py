"""The repository by plain requests; what ``tritonclient`` does with it is in ``test_triton_client.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.openinference.asking import ADMIN_KEY, problem_of
from tests.service.toys import toy_bundle, wait_until_ready

REPOSITORY = "/v2/repository"


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a service of two models that lets them be changed."""
    models = tuple(str(toy_bundle(tmp_path / name)) for name in ("first", "second"))
    settings = Settings(_env_file=None, model=models, device="cpu", admin=True, api_keys=f"{ADMIN_KEY}:admin")
    with TestClient(create_app(settings), headers={"X-API-Key": ADMIN_KEY}) as client:
        yield wait_until_ready(client)


@pytest.mark.parametrize("action", ["load", "unload"])
def test_nothing_is_changed_unless_that_is_enabled(client: TestClient, action: str):
    for name in ("grey", "nope"):
        message = problem_of(client.post(f"{REPOSITORY}/models/{name}/{action}", content=b"{"), 403)
        assert "--admin" in message
    assert client.get("/v2/models/grey/ready").status_code == 200


def test_the_index_lists_all_models_or_those_that_are_ready(admin: TestClient):
    admin.post(f"{REPOSITORY}/models/second/unload")
    index = admin.post(f"{REPOSITORY}/index", json={}).json()
    assert [entry["name"] for entry in index] == [
        name + part for name in ("first", "second") for part in ("", ".encoder", ".decoder")
    ]
    ready = admin.post(f"{REPOSITORY}/index", json={"ready": True}).json()
    assert ready == index[:3]
    assert {entry["version"] for entry in ready} == {"1"}


@pytest.mark.parametrize(
    ("content", "status", "message"), [(b"{", 400, "malformed JSON"), (b'{"ready": 1}', 422, "ready: Expected `bool`")]
)
def test_an_index_request_that_is_none_says_why(client: TestClient, content: bytes, status: int, message: str):
    assert message in problem_of(client.post(f"{REPOSITORY}/index", content=content), status)


def test_the_default_model_can_be_unloaded_and_stays_the_default(admin: TestClient):
    assert admin.post(f"{REPOSITORY}/models/first/unload", json={"parameters": None}).status_code == 200
    assert admin.post(f"{REPOSITORY}/models/first/unload").status_code == 200  # which it is already
    assert admin.get("/health/ready").status_code == 200
    response = admin.get("/decode")
    assert (response.status_code, response.json()["detail"]) == (404, "unloaded model 'first'; there is second")
    assert admin.get("/decode?model=second").status_code == 200
    assert admin.get("/models").json()["default"] == "first"
    admin.post(f"{REPOSITORY}/models/second/unload")
    assert problem_of(admin.get("/v2/models/second"), 404) == "unloaded model 'second'; there is none"
    assert admin.post(f"{REPOSITORY}/models/first/load").status_code == 200
    assert admin.get("/decode").status_code == 200


@pytest.mark.parametrize("action", ["load", "unload"])
def test_a_model_is_loaded_as_a_whole(admin: TestClient, action: str):
    message = problem_of(admin.post(f"{REPOSITORY}/models/first.encoder/{action}"), 400)
    assert message == "first.encoder is a part of first, and is loaded and unloaded with it; name first"
    message = problem_of(admin.post(f"{REPOSITORY}/models/third/{action}"), 404)
    assert message == "no model 'third'; there is first, second"


@pytest.mark.parametrize("parameters", [{"config": "{}"}, {"file:1/model.onnx": "eA=="}, {"unload_dependents": 1}])
def test_no_file_or_setting_comes_in_with_a_request(admin: TestClient, parameters: dict[str, object]):
    response = admin.post(f"{REPOSITORY}/models/first/load", json={"parameters": parameters})
    assert next(iter(parameters)) in problem_of(response, 422)


def test_a_renamed_or_missing_bundle_is_refused_without_telling_where_it_lies(admin: TestClient, tmp_path: Path):
    toy_bundle(tmp_path / "third").rename(tmp_path / "other")
    (tmp_path / "first").rename(tmp_path / "away")
    load = f"{REPOSITORY}/models/first/load"
    assert problem_of(admin.post(load), 409) == (
        "first can't be loaded: no bundle here: manifest.json can't be read (No such file or directory)"
    )
    (tmp_path / "other").rename(tmp_path / "first")
    assert problem_of(admin.post(load), 409) == "first can't be loaded: its name is 'third' now"
    (tmp_path / "first" / "card.md").write_text("other")
    assert problem_of(admin.post(load), 409) == "first can't be loaded: card.md: must be a plain file of 7 bytes"
    assert admin.get("/decode").status_code == 200


def test_a_key_given_twice_is_a_400(admin: TestClient):
    index = admin.post(f"{REPOSITORY}/index", content=b'{"ready": true, "ready": false}')
    assert "'ready' is there twice" in problem_of(index, 400)
    content = b'{"parameters": {"unload_dependents": true, "unload_dependents": true}}'
    for action in ("load", "unload"):
        response = admin.post(f"{REPOSITORY}/models/first/{action}", content=content)
        assert "'unload_dependents' is there twice" in problem_of(response, 400)
    assert admin.get("/v2/models/first/ready").status_code == 200
