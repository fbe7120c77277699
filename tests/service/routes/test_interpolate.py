from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

NPY, JSON = {"Accept": "application/x-npy"}, {"Accept": "application/json"}
ENDS = {"from": {"shape": "square", "scale": 0}, "to": {"shape": "heart", "scale": 5}}


def frames(client: TestClient, body: dict[str, Any], model: str = "grey") -> np.ndarray:
    response = client.post(f"/interpolate?model={model}", json=body, headers=NPY)
    assert response.status_code == 200, response.text
    return np.load(io.BytesIO(response.content))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (ENDS, 16),
        (ENDS | {"steps": 2}, 2),
        (ENDS | {"steps": 5, "loop": True}, 8),
        ({"keyframes": [{}, {"scale": 0}, {"scale": 2}], "steps": 5}, 9),
        ({"keyframes": [{}, {"scale": 0}, {"scale": 2}], "steps": 5, "loop": True}, 12),
        ({"keyframes": [{}, {}], "steps": 5}, 5),
    ],
)
@pytest.mark.parametrize("media", ["image/apng", "image/gif", "image/webp", "application/zip", "application/json"])
def test_every_format_has_the_promised_number_of_frames(
    client: TestClient, body: dict[str, Any], count: int, media: str
):
    response = client.post("/interpolate", json=body, headers={"Accept": media})
    assert response.headers["content-type"] == media
    if media == "application/json":
        found = len(response.json()["frames"])
    elif media == "application/zip":
        found = len(zipfile.ZipFile(io.BytesIO(response.content)).namelist())
    else:
        found = Image.open(io.BytesIO(response.content)).n_frames
    assert found == count


def test_apng_is_the_default_and_png_is_a_sheet(client: TestClient):
    assert client.post("/interpolate", json=ENDS).headers["content-type"] == "image/apng"
    response = client.post("/interpolate?columns=8", json=ENDS, headers={"Accept": "image/png"})
    assert response.headers["X-Sheet-Columns"] == "8"
    assert Image.open(io.BytesIO(response.content)).size == (256, 64)


def test_key_frames_are_what_decode_gives(client: TestClient):
    found = frames(client, ENDS | {"steps": 4})
    for index, values in ((0, ENDS["from"]), (3, ENDS["to"])):
        decoded = client.post("/decode", json={"attributes": values}, headers=NPY)
        np.testing.assert_array_equal(found[index], np.load(io.BytesIO(decoded.content))[0])


def test_json_lists_the_values_of_each_frame(client: TestClient):
    answer = client.post("/interpolate", json=ENDS | {"steps": 3}, headers=JSON).json()
    assert [frame["attributes"]["scale"] for frame in answer["frames"]] == [0, 2.5, 5]
    assert [frame["attributes"]["shape"] for frame in answer["frames"]] == ["square", [0.5, 0, 0.5], "heart"]
    assert base64.b64decode(answer["frames"][0]["image"]).startswith(b"\x89PNG")
    for frame in answer["frames"]:
        assert client.post("/decode", json={"attributes": frame["attributes"]}).status_code == 200


def test_easing_changes_the_pace_only(client: TestClient):
    linear, eased = (
        [
            frame["attributes"]["scale"]
            for frame in client.post("/interpolate", json=ENDS | {"steps": 5, "easing": easing}, headers=JSON).json()[
                "frames"
            ]
        ]
        for easing in ("linear", "ease-in")
    )
    assert linear == pytest.approx([0, 1.25, 2.5, 3.75, 5])
    assert eased == pytest.approx([5 * t**2 for t in (0, 0.25, 0.5, 0.75, 1)])


@pytest.mark.parametrize("model", ["grey", "codes", "colour"])
def test_image_key_frames_keep_what_attributes_do_not_tell(client: TestClient, model: str):
    z = np.linspace(0, 1, 81 if model != "codes" else 5).tolist()
    image = base64.b64encode(client.post(f"/decode?model={model}", json={"z": z}).content).decode()
    found = frames(client, {"from": {"image": image}, "to": {"shape": "heart"}, "steps": 4}, model)
    original = client.post(f"/decode?model={model}", json={"attributes": {"shape": "heart"}}, headers=NPY)
    np.testing.assert_array_equal(found[-1], np.load(io.BytesIO(original.content))[0])
    if model != "codes":  # whose toy encoder reads other pixels than its decoder paints
        expected = np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))).reshape(found[0].shape)
        np.testing.assert_allclose(found[0].astype(int), expected, atol=1)


def test_mixing_is_said_where_an_attribute_can_not_be_mixed(client: TestClient):
    assert client.post("/interpolate?model=codes", json=ENDS).headers["X-Mixing"] == "nearest"
    assert "X-Mixing" not in client.post("/interpolate", json=ENDS).headers


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"from": {"scale": 9}, "to": {}}, "from.scale"),
        ({"from": {}, "to": {"size": 9}}, "to"),
        ({"keyframes": [{}, {}, {"shape": True}]}, "keyframes[2].shape"),
        ({"from": {"image": 5}, "to": {}}, "from.image"),
        (ENDS | {"steps": 257}, "steps"),
    ],
)
def test_a_wrong_key_frame_is_a_422_that_says_where(client: TestClient, body: dict[str, Any], where: str):
    response = client.post("/interpolate", json=body)
    assert response.status_code == 422
    assert response.json()["where"] == where


@pytest.mark.parametrize("image", ["!", "", "aGVsbG8="])
def test_a_key_frame_that_is_no_image_is_a_400_that_says_where(client: TestClient, image: str):
    response = client.post("/interpolate", json={"from": {}, "to": {"image": image}})
    assert response.status_code == 400
    assert response.json()["where"] == "to.image"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": {}},
        {"keyframes": [{}]},
        {"keyframes": [{}, {}], "from": {}, "to": {}},
        {"keyframes": [{}, None]},
        {"from": None, "to": {}},
        ENDS | {"steps": 1},
        ENDS | {"steps": 2.5},
        ENDS | {"steps": True},
        ENDS | {"steps": None},
        ENDS | {"easing": "bounce"},
        ENDS | {"fps": 0},
        ENDS | {"loop": 1},
        ENDS | {"speed": 2},
    ],
)
def test_another_body_than_documented_is_a_422(client: TestClient, body: dict[str, Any]):
    assert client.post("/interpolate", json=body).status_code == 422


def test_too_many_frames_are_a_413(client: TestClient):
    assert client.post("/interpolate", json={"keyframes": [{}] * 5, "steps": 17}).status_code == 413
    assert client.post("/interpolate", json={"keyframes": [{}] * 300, "steps": 2}).status_code == 413


def test_an_event_stream_is_not_there(client: TestClient):
    assert client.post("/interpolate", json=ENDS, headers={"Accept": "text/event-stream"}).status_code == 406
