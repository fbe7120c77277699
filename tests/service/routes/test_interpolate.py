from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.service.toy_systems import EFFECT
from tests.service.toys import image

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


@pytest.mark.parametrize(
    ("media", "fps", "said"),
    [("image/gif", 60, "50"), ("image/gif", 50, None), ("image/webp", 60, None), ("image/apng", 60, None)],
)
def test_a_frame_rate_that_a_format_can_not_have_is_said(client: TestClient, media: str, fps: float, said: str | None):
    response = client.post("/interpolate", json=ENDS | {"fps": fps, "steps": 3}, headers={"Accept": media})
    assert response.headers.get("X-Frame-Rate") == said


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


class TestImageKeyFrames:
    """Their z is where a walk begins and ends, and what attributes don't tell of it goes little by little."""

    def walked(self, client: TestClient, body: dict[str, Any], model: str) -> np.ndarray:
        found = frames(client, body, model)
        return found.reshape(len(found), -1) / 255

    def test_a_group_is_left_along_with_what_is_particular_to_the_image(self, client: TestClient):
        """Class 1 off its row (4, 0), styles 2 and -2; pixels are (z + 5) / 10."""
        start = image({0: (4 + 1 + 5) / 10, 1: 0.5, 2: 0.7, 3: 0.3})
        body = {"from": {"image": start}, "to": {"digit": "zero", "style0": -4, "style1": 0}, "steps": 3}
        expected = [[1, 0.5, 0.7, 0.3], [(2 + 0.5 + 5) / 10, 0.5, 0.4, 0.4], [0.5, 0.5, 0.1, 0.5]]
        np.testing.assert_allclose(self.walked(client, body, "group")[:, :4], expected, atol=1 / 255)

    def test_a_free_latent_past_its_limits_comes_back_into_them(self, client: TestClient):
        """Style 5 is read as its limit 4 and a remainder of 1."""
        body = {"from": {"image": image({2: 1})}, "to": {"style0": 0}, "steps": 3}
        np.testing.assert_allclose(self.walked(client, body, "group")[:, 2], [1, 0.75, 0.5], atol=1 / 255)

    def test_a_condition_mixes_and_the_style_moves_along(self, client: TestClient):
        """From an ellipse whose style is 1 + EFFECT of what it is, to a heart of style 0, both of scale 0."""
        body = {"from": {"image": image({1: 1, 3: 1, 9: 0.6})}, "to": {"shape": "heart", "scale": 0}, "steps": 3}
        found = self.walked(client, body, "conditional")
        np.testing.assert_allclose(found[:, :3], [[0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]], atol=1 / 255)
        styles, effects = np.array([1 + EFFECT[1], (1 + EFFECT[1]) / 2, 0]), EFFECT[[1, 1, 2]]
        effects[1] = EFFECT[[1, 2]].mean()
        np.testing.assert_allclose(found[:, 9], (styles - effects + 5) / 10, atol=1 / 255)

    def test_a_class_that_can_not_be_mixed_jumps_while_the_rest_moves(self, client: TestClient):
        """Of `codes` pixel 0 is the class / 40, pixel 1 the scale / 40."""
        start = image({0: 1, 3 + 0: 1, 9: 1, 49: 1, 81: 0.5})
        to = {"shape": "heart", "scale": 4, "pos_x": 0}
        body = {"from": {"image": start}, "to": to, "steps": 5}
        found = self.walked(client, body, "codes") * 40
        np.testing.assert_allclose(found[:, 0], [0, 0, 0, 2, 2], atol=0.1)
        np.testing.assert_allclose(found[:, 1], [0, 1, 2, 3, 4], atol=0.1)


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


def test_too_many_frames_are_a_413(client: TestClient):
    assert client.post("/interpolate", json={"keyframes": [{}] * 5, "steps": 17}).status_code == 413
    assert client.post("/interpolate", json={"keyframes": [{}] * 300, "steps": 2}).status_code == 413
