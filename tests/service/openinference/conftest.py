from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import tritonclient.http as triton
import uvicorn

from service.app import create_app
from service.settings import Settings
from tests.service.openinference.asking import ADMIN_KEY, WithKey
from tests.service.processes import wait_until

NAMES = ("grey", "colour", "conditional", "codes")


@pytest.fixture(scope="module")
def repository(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles that tests may change."""
    folder = tmp_path_factory.mktemp("repository")
    for name in NAMES:
        shutil.copytree(bundles / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def address(repository: Path) -> Iterator[str]:
    """Where a server listens that may load and unload models: host and port."""
    models = tuple(str(repository / name) for name in NAMES)
    settings = Settings(
        _env_file=None, model=models, device="cpu", admin=True, api_keys=f"{ADMIN_KEY}:admin", max_body_bytes=2**20
    )
    app = create_app(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield "{}:{}".format(*listening.getsockname())
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def triton_client(address: str) -> Iterator[triton.InferenceServerClient]:
    """The client of Triton, as it is, of that server once it is ready."""
    with triton.InferenceServerClient(address, concurrency=4) as client:
        client.register_plugin(WithKey())
        wait_until(client.is_server_ready)
        yield client
