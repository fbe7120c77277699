from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from service.settings import Settings
from tests.service.toy_systems import SHAPE

NPY, JSON = {"Accept": "application/x-npy"}, {"Accept": "application/json"}


def test_png_is_the_default(client: TestClient):
    response = client.post("/decode", json={"attributes": {"shape": "heart"}})
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.size, image.mode) == ((32, 32), "L")
        assert np.asarray(image)[0, :3].tolist() == [0, 0, 255]


def test_z_is_taken_as_it_is(client: TestClient):
    z = np.linspace(0, 1, 81)
    response = client.post("/decode", json={"z": z.tolist()}, headers=NPY)
    pixels = np.load(io.BytesIO(response.content))
    assert pixels.shape == (1, 32, 32, 1)
    np.testing.assert_allclose(pixels.reshape(-1)[:81], z * 255, atol=0.51)
    several = client.post("/decode", json={"z": [z.tolist(), z.tolist()]}, headers=NPY)
    assert np.load(io.BytesIO(several.content)).shape == (2, 32, 32, 1)


def test_several_items_are_a_sheet(client: TestClient):
    items = [{"shape": label} for label in SHAPE.labels] * 2
    for columns, size in ((None, (96, 64)), (2, (64, 96)), (100, (192, 32))):
        query = f"?columns={columns}" if columns else ""
        response = client.post(f"/decode{query}", json={"attributes": items})
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == size
        assert response.headers["X-Sheet-Columns"] == str(size[0] // 32)
    assert client.post("/decode?columns=0", json={"attributes": items}).status_code == 422


def test_json_has_the_resolved_values_and_the_image(client: TestClient):
    response = client.post("/decode", json={"attributes": [{"orientation": 40, "shape": 2}, {}]}, headers=JSON)
    answer = response.json()
    assert answer["model"] == "grey"
    assert answer["digest"] == response.headers["X-Model-Digest"]
    assert answer["items"][0]["attributes"] == {"shape": "heart", "scale": 5, "orientation": 1, "pos_x": 16}
    assert answer["items"][1]["attributes"]["shape"] == "square"
    assert base64.b64decode(answer["items"][1]["image"]) == client.post("/decode", json={"attributes": {}}).content


def test_get_gives_what_post_gives(client: TestClient):
    got = client.get("/decode?shape=heart&scale=2.5&orientation=-1")
    posted = client.post("/decode", json={"attributes": {"shape": "heart", "scale": 2.5, "orientation": 38}})
    assert got.content == posted.content
    assert got.headers["etag"] == posted.headers["etag"]
    assert got.headers["vary"] == "Accept"
    assert "max-age" in got.headers["cache-control"]
    weights = client.get("/decode?shape=1,0,1")
    assert weights.content == client.post("/decode", json={"attributes": {"shape": [1, 0, 1]}}).content


def test_too_many_items_are_a_413(client: TestClient, settings: Settings):
    items = [{}] * (settings.max_items + 1)
    assert client.post("/decode", json={"attributes": items[1:]}).status_code == 200
    assert client.post("/decode", json={"attributes": items}).status_code == 413
    assert client.post("/decode", json={"z": [[0] * 81] * len(items)}).status_code == 413
