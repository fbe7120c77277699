"""/edit, /recombine, and what /encode is told: toys whose encoder reads weights from pixels."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from tests.service.toys import ORIENTATION, POS_X, SCALE, SHAPE

NPY = {"Accept": "application/x-npy"}
ATTRIBUTES = (SHAPE, SCALE, ORIENTATION, POS_X)


def image(**classes: int) -> str:
    """An image from which the toys read these classes, as base64."""
    pixels = np.zeros(32 * 32, np.float32)
    start = 0
    for attribute in ATTRIBUTES:
        pixels[start + classes.get(attribute.name, 0)] = 1
        start += attribute.size
    return npy(pixels.reshape(32, 32))


def npy(pixels: NDArray[Any]) -> str:
    file = BytesIO()
    np.save(file, pixels)
    return base64.b64encode(file.getvalue()).decode()


def pixels(answer: Any) -> NDArray[np.uint8]:
    """The decoded image's pixels in order: of `grey` its weights, of `codes` its codes / 40."""
    assert answer.status_code == 200, answer.text
    return np.load(BytesIO(answer.content)).ravel()


def attributes_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]["attributes"]


class TestEdit:
    def test_sets_and_adds_and_keeps_the_rest(self, client: TestClient) -> None:
        body = {"image": image(shape=1, scale=2, pos_x=7), "set": {"shape": "heart"}, "add": {"pos_x": 3}}
        said = attributes_of(client.post("/edit", json=body, headers={"Accept": "application/json"}))
        assert {name: said[name] for name in ("shape", "scale", "pos_x")} == {
            "shape": "heart", "scale": pytest.approx(2, abs=1e-3), "pos_x": pytest.approx(10, abs=1e-3),
        }  # fmt: skip
        drawn = pixels(client.post("/edit", json=body, headers=NPY))
        assert np.flatnonzero(drawn > 250).tolist() == [2, 3 + 2, 9 + 0, 49 + 10]

    def test_keeps_what_attributes_do_not_tell(self, client: TestClient) -> None:
        """A pixel of .6 for a class is a remainder of -.4 there: it stays when another attribute is changed."""
        faint = np.zeros((32, 32), np.float32)
        faint.ravel()[[0, 3, 9, 49]] = [0.6, 1, 1, 1]
        drawn = pixels(client.post("/edit", json={"image": npy(faint), "set": {"scale": 5}}, headers=NPY))
        assert drawn[0] == round(0.6 * 255)
        assert np.flatnonzero(drawn > 250).tolist() == [3 + 5, 9, 49]

    def test_that_changes_nothing_is_the_reconstruction(self, client: TestClient) -> None:
        body = {"image": image(shape=1, scale=4)}
        z = client.post("/encode", json={"images": [body["image"]]}).json()["items"][0]["z"]
        expected = client.post("/decode", json={"z": z}, headers=NPY).content
        assert client.post("/edit", json=body, headers=NPY).content == expected

    def test_moves_a_circular_attribute_across_its_seam(self, client: TestClient) -> None:
        body = {"image": image(orientation=38), "add": {"orientation": 2}}
        said = attributes_of(client.post("/edit", json=body, headers={"Accept": "application/json"}))
        assert said["orientation"] == pytest.approx(1, abs=1e-3)

    def test_says_where_an_attribute_can_not_be_mixed(self, client: TestClient) -> None:
        body = {"image": image(orientation=3), "add": {"orientation": 0.5}}
        assert client.post("/edit?model=codes", json=body).headers["X-Mixing"] == "nearest"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"set": {"colour": 1}}, "accepts the names shape, scale"),
            ({"set": {"scale": 6}}, "set.scale: got 6; accepts a number from 0 to 5"),
            ({"add": {"scale": 6}}, "add.scale: got 6"),
            ({"add": {"shape": 1}}, "add.shape: got 1; accepts no steps"),
            ({"add": {"scale": "1"}}, "add.scale: got '1'; accepts a finite number of steps"),
            ({"add": {"scale": True}}, "add.scale: got True"),
            ({"set": {"scale": 1}, "add": {"scale": 1}}, "scale: is both set and added to"),
            ({"put": {}}, "put"),
        ],
    )
    def test_refuses_what_is_not_accepted(self, client: TestClient, change: dict[str, Any], message: str) -> None:
        answer = client.post("/edit", json={"image": image()} | change)
        assert answer.status_code == 422
        assert message in answer.json()["detail"]

    def test_takes_one_image(self, client: TestClient) -> None:
        answer = client.post("/edit", json={"image": npy(np.zeros((2, 32, 32), np.uint8))})
        assert answer.status_code in (413, 422)
        assert client.post("/edit", json={"image": "no base64!"}).status_code == 400
        assert client.post("/edit", json={}).status_code == 422


class TestGiven:
    def test_a_condition_is_told(self, client: TestClient) -> None:
        said = attributes_of(
            client.post("/encode?model=conditional&given=shape:heart,scale:2.5", json={"images": [image(pos_x=4)]})
        )
        assert said["shape"]["value"] == "heart"
        assert said["shape"]["confidence"] == 1
        assert said["scale"]["value"] == pytest.approx(2.5)
        assert said["pos_x"]["index"] == 4

    def test_conditions_that_are_not_told_are_inferred(self, client: TestClient) -> None:
        said = attributes_of(
            client.post("/encode?model=conditional&given=shape:heart", json={"images": [image(shape=0, scale=3)]})
        )
        assert (said["shape"]["value"], said["scale"]["index"]) == ("heart", 3)
        said = attributes_of(client.post("/encode?model=conditional", json={"images": [image(shape=1, scale=3)]}))
        assert (said["shape"]["value"], said["scale"]["index"]) == ("ellipse", 3)

    def test_weights_may_be_told(self, client: TestClient) -> None:
        url = "/encode?model=conditional&detail=weights&given=shape:1,1,2,scale:0"
        said = attributes_of(client.post(url, json={"images": [image()]}))
        assert said["shape"]["weights"] == pytest.approx([0.25, 0.25, 0.5])

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("model=grey&given=shape:heart", "this model takes no conditions"),
            ("model=conditional&given=pos_x:3", "accepts shape:VALUE, scale:VALUE"),
            ("model=conditional&given=shape", "got 'shape'; accepts shape:VALUE"),
            ("model=conditional&given=", "got ''; accepts shape:VALUE"),
            ("model=conditional&given=shape:blob", "query.given.shape: got 'blob'"),
            ("model=conditional&given=shape:heart,shape:heart", "got 'shape:heart'"),
        ],
    )
    def test_what_is_no_condition_is_refused(self, client: TestClient, query: str, message: str) -> None:
        answer = client.post(f"/encode?{query}", json={"images": [image()]})
        assert answer.status_code == 422
        assert message in answer.json()["detail"]


class TestGroup:
    def test_images_of_a_group_are_one_item(self, client: TestClient) -> None:
        """Codes 0, 2 and 1 with the same variance: their evidence is 1, an ellipse."""
        images = [image(shape=0), image(shape=2), image(shape=1)]
        answer = client.post("/encode?model=group&group=true&detail=posterior", json={"images": images})
        items = answer.json()["items"]
        assert len(items) == 1
        shape = items[0]["attributes"]["shape"]
        assert list(items[0]["attributes"]) == ["shape"]
        assert shape["value"] == "ellipse"
        assert shape["z"] == pytest.approx([1], abs=1e-3)
        # distances 1, 0, 1 and tau 1/2: exp(-2) beside 1
        assert shape["confidence"] == pytest.approx(1 / (1 + 2 * np.exp(-2)), abs=1e-3)
        assert items[0]["mean"] == pytest.approx([1], abs=1e-3)
        one = client.post("/encode?model=group&detail=posterior", json={"images": images[:1]}).json()["items"][0]
        assert items[0]["logvar"][0] == pytest.approx(one["logvar"][0] - np.log(3), abs=1e-4)

    def test_what_comes_back_can_be_decoded(self, client: TestClient) -> None:
        item = client.post("/encode?model=group&group=true", json={"images": [image(shape=2)]}).json()["items"][0]
        by_z = client.post("/decode?model=group", json={"z": item["z"]}, headers=NPY)
        by_values = client.post("/decode?model=group", json={"attributes": item["attributes"]}, headers=NPY)
        assert np.abs(pixels(by_z).astype(int) - pixels(by_values)).max() <= 1

    def test_a_model_without_groups_says_so(self, client: TestClient) -> None:
        answer = client.post("/encode?group=true", json={"images": [image()]})
        assert answer.status_code == 422
        assert "knows no groups" in answer.json()["detail"]


class TestRecombine:
    def test_takes_the_class_of_a_group_and_the_style_of_another_image(self, client: TestClient) -> None:
        body = {"class": {"images": [image(shape=2), image(shape=2)]}, "style": {"image": image(shape=0, pos_x=20)}}
        drawn = pixels(client.post("/recombine?model=group", json=body, headers=NPY))
        assert drawn[0] == pytest.approx(255 * 2 / 40, abs=1)  # the class's code
        assert drawn[3] == pytest.approx(255 * 20 / 40, abs=1)  # pos_x of the style

    def test_takes_the_conditions_of_one_image(self, client: TestClient) -> None:
        body = {"class": {"image": image(shape=1, scale=5)}, "style": {"image": image(shape=0, scale=0, pos_x=9)}}
        drawn = pixels(client.post("/recombine?model=conditional", json=body, headers=NPY))
        assert np.flatnonzero(drawn > 250).tolist() == [1, 3 + 5, 9, 49 + 9]

    def test_a_model_without_class_and_style_says_what_is_needed(self, client: TestClient) -> None:
        body = {"class": {"image": image()}, "style": {"image": image()}}
        answer = client.post("/recombine", json=body)
        assert answer.status_code == 422
        assert "needs a model with a group" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"class": {}, "style": {"image": ""}}, 422),
            ({"class": {"images": []}, "style": {"image": ""}}, 422),
            ({"class": {"image": "", "images": [""]}, "style": {"image": ""}}, 422),
            ({"class": {"image": image()}}, 422),
            ({"class": {"image": "!"}, "style": {"image": image()}}, 400),
            ({"class": {"images": [image()] * 17}, "style": {"image": image()}}, 413),
        ],
    )
    def test_wrong_bodies_are_refused(self, client: TestClient, body: dict[str, Any], status: int) -> None:
        assert client.post("/recombine?model=group", json=body).status_code == status


def test_models_say_conditions_groups_and_limits(client: TestClient) -> None:
    models = {model["name"]: model for model in client.get("/models").json()["models"]}
    assert models["conditional"]["conditions"] == ["shape", "scale"]
    assert models["group"]["group"] == "shape"
    assert models["grey"]["conditions"] == []
    assert models["grey"]["group"] is None
    assert models["codes"]["attributes"][-1]["limits"] == [-3, 3]
