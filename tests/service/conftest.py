from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.toys import toy_bundle, wait_until_ready


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """What a service that was started in this process logs to is gone after its test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles: grey 32x32, colour and not square, with alpha, and each of the other kinds of system."""
    folder = tmp_path_factory.mktemp("bundles")
    toy_bundle(folder / "grey", unfamiliar=0.1)
    toy_bundle(folder / "colour", shape=(28, 40, 3))
    toy_bundle(folder / "alpha", shape=(32, 32, 4))
    toy_bundle(folder / "codes", kind="codes")
    toy_bundle(folder / "conditional", kind="conditional")
    toy_bundle(folder / "group", kind="group")
    return folder


@pytest.fixture(scope="session")
def settings(bundles: Path) -> Settings:
    models = tuple(str(bundles / name) for name in ("grey", "colour", "alpha", "codes", "conditional", "group"))
    return Settings(
        _env_file=None,
        model=models,
        device="cpu",
        max_body_bytes=2**20,
        max_items=16,
        max_pixels=2**18,
        max_frames=64,
        cache_bytes=0,
    )


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of the service in this process: it raises no exceptions, but gets a 500 like any other client."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield wait_until_ready(client)
