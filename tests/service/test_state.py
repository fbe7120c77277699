from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.problems import Problem
from service.settings import Settings
from tests.service.toys import wait_until_ready


def test_it_is_not_ready_before_its_models_are_loaded(bundles: Path):
    app = create_app(Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu"))
    with pytest.raises(Problem) as caught:
        app.service.check_ready()
    assert caught.value.status_code == 503


def test_it_is_ready_until_it_ends(bundles: Path):
    app = create_app(Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu"))
    with TestClient(app) as client:
        wait_until_ready(client)
        app.service.check_ready()
        app.service.admission.draining = True
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["detail"]) == (503, "the service ends")
        assert answer.headers["Retry-After"] == "1"
        assert client.get("/decode").status_code == 200


def test_two_services_of_one_process_share_nothing(bundles: Path):
    settings = [Settings(_env_file=None, model=(str(bundles / name),), device="cpu") for name in ("grey", "alpha")]
    with TestClient(create_app(settings[0])) as first, TestClient(create_app(settings[1])) as second:
        for client, name in ((first, "grey"), (second, "alpha")):
            assert wait_until_ready(client).get("/models").json()["default"] == name
