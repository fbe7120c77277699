from __future__ import annotations

import base64
import signal
import sys
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.codecs import decoder_process
from service.settings import Settings
from service.state import ServiceState
from tests.service.codecs.pictures import saved, slow
from tests.service.processes import alive, running, wait_until
from tests.service.toys import npy

PNG = {"Content-Type": "image/png"}


def test_conversions_are_listed(client: TestClient):
    image = client.get("/decode?model=colour").content
    (item,) = client.post("/encode", content=image, headers=PNG).json()["items"]
    assert item["converted"] == ["resized 40x28 to 32x32", "RGB to grey"]


def test_an_error_in_one_image_of_many_names_the_image(client: TestClient):
    good, bad = client.get("/decode").content, b"no image"
    coded = [base64.b64encode(data).decode() for data in (good, good, bad)]
    response = client.post("/encode", json={"images": coded})
    assert response.status_code == 400
    assert response.json()["where"] == "images[2]"
    files = [("f", ("a.png", good, "image/png")), ("f", ("b.png", bad, "image/png"))]
    response = client.post("/encode", files=files)
    assert response.status_code == 400
    assert response.json()["where"] == "files[1]"
    response = client.post("/encode", json={"images": [coded[0], "not base64!"]})
    assert response.status_code == 400
    assert response.json()["where"] == "images[1]"


def test_too_many_images_are_a_413(client: TestClient, settings: Settings):
    image = client.get("/decode").content
    many = settings.max_items + 1
    assert client.post("/encode", json={"images": [base64.b64encode(image).decode()] * many}).status_code == 413
    files = [("f", ("a.png", image, "image/png"))] * (many + 3)
    assert client.post("/encode", files=files[:many]).status_code == 413
    assert client.post("/encode", files=files).status_code == 413
    array = base64.b64decode(npy(np.zeros((many, 32, 32), np.uint8)))
    assert client.post("/encode", content=array, headers={"Content-Type": "application/x-npy"}).status_code == 413


STRICT = """
import sys, service.codecs.decoder_process as decoders
decoders.DecoderPool.__init__.__defaults__ = (0.01,)
from service.main import serve
sys.exit(serve(sys.argv[1:]))
"""


def test_a_file_that_takes_long_is_a_413_and_the_next_one_is_read(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    """The service gives files a hundredth of a second of the processor here."""
    monkeypatch.setattr("tests.service.processes.START", STRICT)
    jpeg = {"Content-Type": "image/jpeg"}
    with running(bundles / "grey") as service:
        for _ in range(5):
            response = httpx2.post(f"{service.url}/encode", content=slow(), headers=jpeg, timeout=60)
            assert response.status_code == 413
            assert response.json()["detail"] == "the body: takes more than 0.01 s to decode"
        small = saved(Image.new("L", (8, 8)), "JPEG")
        assert httpx2.post(f"{service.url}/encode", content=small, headers=jpeg, timeout=60).status_code == 200


def children(pid: int) -> list[int]:
    found = [Path(task, "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(child) for each in found for child in each]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_that_decode_end_with_the_service(bundles: Path, number: signal.Signals):
    with running(bundles / "grey", "--drain-seconds", "0") as service:
        jpeg = saved(Image.new("L", (8, 8)), "JPEG")
        headers = {"Content-Type": "image/jpeg"}
        assert httpx2.post(f"{service.url}/encode", content=jpeg, headers=headers, timeout=60).status_code == 200
        (child,) = children(service.process.pid)
        service.process.send_signal(number)
        service.process.wait(60)
        wait_until(lambda: not alive(child))


def test_a_file_that_nobody_waits_for_is_not_decoded_to_its_end(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    """Whoever decodes it has slept for ever; it is ended, and its place is free for the next file."""
    asleep = (sys.executable, "-c", "import time; time.sleep(1000)")
    jpeg = {"Content-Type": "image/jpeg"}
    file = saved(Image.new("L", (8, 8)), "JPEG")
    state: ServiceState = client.app.service  # type: ignore[attr-defined]
    state.images.close()
    with monkeypatch.context() as patch:
        patch.setattr(decoder_process, "COMMAND", asleep)
        for _ in range(5):
            response = client.post("/encode", content=file, headers={**jpeg, "X-Request-Timeout-Ms": "100"})
            assert response.status_code == 504
    assert client.post("/encode", content=file, headers=jpeg).status_code == 200


def test_a_plain_file_of_the_models_size_is_read_as_an_array_of_its_pixels_is(client: TestClient):
    """The first is decoded in the event loop, the second in a thread."""
    drawn = client.get("/decode?shape=heart&scale=2.5", headers={"Accept": "application/x-npy"}).content
    file = client.get("/decode?shape=heart&scale=2.5", headers={"Accept": "image/png"}).content
    of_array = client.post("/encode", content=drawn, headers={"Content-Type": "application/x-npy"}).json()
    assert client.post("/encode", content=file, headers=PNG).json() == of_array


@pytest.mark.parametrize(("path", "member"), [("/edit", "image"), ("/recombine?model=conditional", "class.image")])
def test_one_image_is_one_frame(client: TestClient, path: str, member: str):
    two = npy(np.zeros((2, 32, 32), np.uint8))
    body = {"image": two} if path == "/edit" else {"class": {"image": two}, "style": {"image": two}}
    response = client.post(path, json=body)
    assert (response.status_code, response.json()["where"]) == (413, member)


def test_too_many_images_of_a_class_are_counted_before_they_are_decoded(client: TestClient, settings: Settings):
    several = ["no base64!"] * (settings.max_items + 1)
    body = {"class": {"images": several}, "style": {"image": several[0]}}
    response = client.post("/recombine?model=conditional", json=body)
    assert response.status_code == 413
    assert response.json()["detail"] == f"class.images: {len(several)} of them; accepts at most {settings.max_items}"
