from __future__ import annotations

import base64

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.settings import Settings
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
