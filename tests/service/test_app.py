from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from PIL import AvifImagePlugin, PngImagePlugin
from starlette.testclient import TestClient

from export.bundle import DECODER, BundleError
from service.app import create_app
from service.codecs.decode import MAX_TEXT_BYTES
from service.inference.repository import ModelRepository
from service.settings import Settings


def settings(bundles: Path, **more: object) -> Settings:
    return Settings(_env_file=None, **{"model": (str(bundles / "grey"),), "device": "cpu"} | more)


def test_a_bundle_that_is_damaged_is_refused_before_anything_runs(bundles: Path, tmp_path: Path):
    shutil.copytree(bundles / "grey", tmp_path / "bad")
    (tmp_path / "bad" / DECODER).write_bytes(b"x")
    with pytest.raises(BundleError, match=DECODER):
        create_app(settings(bundles, model=(str(tmp_path / "bad"),)))


def test_what_fails_later_is_told(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[Exception] = []
    come = threading.Event()

    def fail(repository: ModelRepository) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(ModelRepository, "load", fail)
    with TestClient(create_app(settings(bundles), lambda error: (told.append(error), come.set()))) as client:
        assert come.wait(60)
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
    assert str(told[0]) == "broken"


def test_paths_are_not_redirected(bundles: Path):
    """A redirect would lead to the host name that the client sent."""
    with TestClient(create_app(settings(bundles)), follow_redirects=False) as client:
        assert client.get("/decode/").status_code == 404


def test_pillow_gets_the_limit_of_text_in_a_file_and_one_thread(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", 0)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 2**62)
    create_app(settings(bundles))
    assert PngImagePlugin.MAX_TEXT_MEMORY == MAX_TEXT_BYTES
    assert AvifImagePlugin.DEFAULT_MAX_THREADS == 1
