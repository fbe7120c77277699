"""/edit and /recombine as routes; what they do to z is told by toys whose encoder reads weights from pixels."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service.web.response_schemas import DecodeAnswer
from tests.service.toy_systems import DISCRETE, EFFECT, ROWS
from tests.service.toys import image, npy, pixels_of

NPY, JSON = {"Accept": "application/x-npy"}, {"Accept": "application/json"}
BODY = {"Content-Type": "application/json"}
STARTS = {"shape": 0, "scale": 3, "orientation": 9, "pos_x": 49}


def picture(**classes: int) -> str:
    """An image from which `grey` and `codes` read these classes, 0 where none is given."""
    return image({STARTS[a.name] + classes.get(a.name, 0): 1 for a in DISCRETE})


def edited(client: TestClient, body: dict[str, Any], model: str = "grey") -> NDArray[Any]:
    return pixels_of(client.post(f"/edit?model={model}", json=body, headers=NPY))[0]


def values_after(client: TestClient, body: dict[str, Any], model: str = "grey") -> dict[str, Any]:
    answer = client.post(f"/edit?model={model}", json=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    DecodeAnswer.model_validate(answer.json(), extra="forbid")
    return answer.json()["items"][0]["attributes"]


class TestEdit:
    def test_sets_and_adds(self, client: TestClient) -> None:
        body = {"image": picture(shape=1, scale=2, pos_x=7), "set": {"shape": "heart"}, "add": {"pos_x": 3}}
        assert np.flatnonzero(edited(client, body) > 0.98).tolist() == [2, 3 + 2, 9, 49 + 10]

    def test_says_the_values_after_the_edit_as_decode_takes_them(self, client: TestClient) -> None:
        body = {"image": picture(shape=1, scale=2, pos_x=7), "set": {"shape": "heart"}, "add": {"pos_x": 3}}
        said = values_after(client, body)
        assert said == {
            "shape": "heart",
            "scale": pytest.approx(2, abs=1e-3),
            "orientation": pytest.approx(0, abs=1e-3),
            "pos_x": pytest.approx(10, abs=1e-3),
        }
        assert client.post("/decode", json={"attributes": said}).status_code == 200

    @pytest.mark.parametrize(
        ("value", "weights"),
        [(2, [0, 0, 1]), ("ellipse", [0, 1, 0]), ([1, 0, 3], [0.25, 0, 0.75]), ({"value": "heart"}, [0, 0, 1])],
    )
    def test_sets_every_form_of_a_value(self, client: TestClient, value: Any, weights: list[float]) -> None:
        drawn = edited(client, {"image": picture(shape=0), "set": {"shape": value}})
        assert drawn[:3] == pytest.approx(weights, abs=1 / 255)

    def test_leaves_all_that_was_not_changed(self, client: TestClient) -> None:
        """A faint square stays as faint, and in doubt, when its scale is changed."""
        faint = image({0: 0.6, 1: 0.2, 3: 1, 9: 1, 49: 1})
        drawn = edited(client, {"image": faint, "set": {"scale": 5}})
        assert drawn[:9] == pytest.approx([0.6, 0.2, 0, 0, 0, 0, 0, 0, 1], abs=1 / 255)

    def test_leaves_no_ghost_of_what_was_changed(self, client: TestClient) -> None:
        """Whoever says heart means heart, however sure the encoder was."""
        doubtful = image({0: 0.6, 1: 0.4, 3: 1, 9: 1, 49: 1})
        assert edited(client, {"image": doubtful, "set": {"shape": "heart"}})[:3] == pytest.approx([0, 0, 1], abs=1e-3)

    @pytest.mark.parametrize("model", ["grey", "codes", "group", "conditional", "colour", "alpha"])
    @pytest.mark.parametrize("change", [{}, {"set": {}}, {"add": {}}])
    def test_without_changes_it_is_the_reconstruction(self, client: TestClient, model: str, change: Any) -> None:
        noise = npy(np.random.default_rng(0).random((32, 32), np.float32))
        (item,) = client.post(f"/encode?model={model}", json={"images": [noise]}).json()["items"]
        expected = client.post(f"/decode?model={model}", json={"z": item["z"]}, headers=NPY).content
        assert client.post(f"/edit?model={model}", json={"image": noise} | change, headers=NPY).content == expected

    def test_setting_what_encode_says_is_almost_the_reconstruction(self, client: TestClient) -> None:
        decoded = {"shape": "ellipse", "scale": 2.25, "orientation": 38.5, "pos_x": 17}
        source = client.post("/decode", json={"attributes": decoded}, headers=JSON).json()["items"][0]["image"]
        (item,) = client.post("/encode", json={"images": [source]}).json()["items"]
        reconstructed = pixels_of(client.post("/decode", json={"z": item["z"]}, headers=NPY))[0]
        drawn = edited(client, {"image": source, "set": item["attributes"]})
        np.testing.assert_allclose(drawn, reconstructed, atol=2 / 255)

    @pytest.mark.parametrize(
        ("start", "step", "end"), [(38, 2, 1), (0, -1, 38), (5, 39, 5), (5, -0.5, 4.5), (5, 390.25, 5.25)]
    )
    def test_circular_attributes_move_past_their_seam(
        self, client: TestClient, start: int, step: float, end: float
    ) -> None:
        body = {"image": picture(orientation=start), "add": {"orientation": step}}
        assert values_after(client, body)["orientation"] == pytest.approx(end, abs=1e-3)
        drawn = edited(client, body)[9:48]
        assert drawn[int(end)] == pytest.approx(1 - end % 1, abs=2 / 255)

    def test_a_step_that_the_class_can_take_ends_at_the_end_however_it_was_read(self, client: TestClient) -> None:
        """Class 4 read as 4.09 and moved by 1 is class 5, the last one; and 0.91 moved by -1 is class 0."""
        above = image({0: 1, 3 + 4: 1, 3 + 5: 0.1, 9: 1, 49: 1})
        assert values_after(client, {"image": above, "add": {"scale": 1}})["scale"] == 5
        below = image({0: 1, 3 + 1: 1, 3: 0.1, 9: 1, 49: 1})
        assert values_after(client, {"image": below, "add": {"scale": -1}})["scale"] == 0
        assert client.post("/edit", json={"image": above, "add": {"scale": 1.1}}).status_code == 422

    def test_continuous_attributes_move_up_to_their_limits(self, client: TestClient) -> None:
        """Pixel 2 at 0.6 is a style of 1; its range ends at 2, its limits at 4."""
        body = {"image": image({2: 0.6}), "add": {"style0": 2.5}}
        assert values_after(client, body, "group")["style0"] == pytest.approx(3.5, abs=1e-5)
        assert edited(client, body, "group")[2] == pytest.approx(0.85, abs=1 / 255)
        refused = client.post("/edit?model=group", json=body | {"add": {"style0": 3.5}})
        assert refused.status_code == 422
        assert "accepts steps that end within -4 to 4; this one ends at 4.5" in refused.json()["detail"]

    def test_the_class_of_a_group_keeps_what_is_particular_to_the_image(self, client: TestClient) -> None:
        """An image one beside its class's row stays one beside the other class's row, nearly: it is sure of it."""
        beside = image({0: (4 + 1 + 5) / 10, 1: 0.5, 2: 0.7, 3: 0.3})
        drawn = edited(client, {"image": beside, "set": {"digit": "zero"}}, "group")
        assert drawn[:4] == pytest.approx([(ROWS[0, 0] + 1 + 5) / 10, 0.5, 0.7, 0.3], abs=2 / 255)

    def test_a_condition_is_set_and_the_style_kept(self, client: TestClient) -> None:
        body = {"image": image({1: 1, 3 + 4: 1, 9: 0.6}), "set": {"shape": "heart"}}
        drawn = edited(client, body, "conditional")
        assert drawn[:9] == pytest.approx([0, 0, 1, 0, 0, 0, 0, 1, 0], abs=1e-3)
        # the style of z stays, and the decoder takes off what it knows of a heart instead of an ellipse
        assert drawn[9] == pytest.approx(0.6 + (EFFECT[1] - EFFECT[2]) / 10, abs=1 / 255)

    def test_says_where_an_attribute_can_not_be_mixed(self, client: TestClient) -> None:
        def mixing(change: dict[str, Any]) -> str | None:
            doubtful = image({0: 0.6, 1: 0.4, 3: 1, 9 + 3: 1, 49: 1})
            return client.post("/edit?model=codes", json={"image": doubtful} | change).headers.get("X-Mixing")

        assert mixing({"add": {"orientation": 0.5}}) == "nearest"
        assert mixing({"set": {"shape": [1, 1, 0]}}) == "nearest"
        assert mixing({"set": {"orientation": 7}}) is None
        assert mixing({"add": {"scale": 0.5}}) is None

    @pytest.mark.parametrize(
        ("change", "where", "message"),
        [
            ({"set": {"colour": 1}}, "set", "accepts the names shape, scale"),
            ({"add": {"colour": 1}}, "add", "accepts the names shape, scale"),
            ({"set": {"scale": 6}}, "set.scale", "got 6; accepts a number from 0 to 5"),
            ({"set": {"scale": True}}, "set.scale", "got True; accepts"),
            ({"set": {"scale": None}}, "set.scale", "got None; accepts"),
            ({"add": {"scale": 6}}, "add.scale", "got 6; accepts steps that end within 0 to 5; this one ends at 6"),
            ({"add": {"scale": -1}}, "add.scale", "got -1; accepts steps that end within 0 to 5; this one ends at -1"),
            ({"add": {"shape": 1}}, "add.shape", "got 1; accepts no steps"),
            ({"add": {"scale": "1"}}, "add.scale", "got '1'; accepts a finite number of steps"),
            ({"add": {"scale": True}}, "add.scale", "got True; accepts a finite number"),
            ({"add": {"scale": None}}, "add.scale", "got None; accepts a finite number"),
            ({"add": {"scale": [1]}}, "add.scale", "got [1]; accepts a finite number"),
            ({"add": {"scale": 10**399}}, "add.scale", "accepts a finite number"),
            ({"add": {"orientation": 10**399}}, "add.orientation", "accepts a finite number"),
            ({"add": {"orientation": -(10**309)}}, "add.orientation", "accepts a finite number"),
            ({"set": {"scale": 1}, "add": {"scale": 1}}, "set.scale", "is in add, too"),
        ],
    )
    def test_a_wrong_change_is_a_422_that_says_where(
        self, client: TestClient, change: dict[str, Any], where: str, message: str
    ) -> None:
        answer = client.post("/edit", content=json.dumps({"image": picture()} | change), headers=BODY)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["where"] == where
        assert message in answer.json()["detail"]

    @pytest.mark.parametrize("step", ["1e999", "-1e999"])
    def test_an_overflow_is_a_422(self, client: TestClient, step: str) -> None:
        content = f'{{"image": "{picture()}", "add": {{"orientation": {step}}}}}'
        assert client.post("/edit", content=content, headers=BODY).status_code == 422

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422),
            ({"image": None}, 422),
            ({"image": [picture()]}, 422),
            ({"images": [picture()]}, 422),
            ({"image": picture(), "put": {}}, 422),
            ({"image": picture(), "to": {}}, 422),
            ({"image": picture(), "set": []}, 422),
            ({"image": picture(), "add": None}, 422),
            ({"image": "no base64!"}, 400),
            ({"image": ""}, 400),
            ({"image": "aGVsbG8="}, 400),
            ({"image": npy(np.zeros((2, 32, 32), np.uint8))}, 413),
            ({"image": npy(np.zeros((600, 600), np.uint8))}, 413),
        ],
    )
    def test_another_body_than_documented_is_refused(self, client: TestClient, body: Any, status: int) -> None:
        answer = client.post("/edit", json=body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


class TestRecombine:
    @pytest.mark.parametrize(
        ("body", "status", "where"),
        [
            ({}, 422, None),
            ({"class": {"image": picture()}}, 422, None),
            ({"style": {"image": picture()}}, 422, None),
            ({"class": {}, "style": {"image": ""}}, 422, None),
            ({"class": {"images": []}, "style": {"image": ""}}, 422, None),
            ({"class": {"image": None}, "style": {"image": ""}}, 422, None),
            ({"class": {"image": "", "images": [""]}, "style": {"image": ""}}, 422, None),
            ({"class": {"image": picture()}, "style": {"images": [picture()]}}, 422, None),
            ({"classes": {"image": picture()}, "style": {"image": picture()}}, 422, None),
            ({"class": {"image": "!"}, "style": {"image": picture()}}, 400, "class.image"),
            ({"class": {"image": ""}, "style": {"image": picture()}}, 400, "class.image"),
            ({"class": {"images": [picture(), "!"]}, "style": {"image": picture()}}, 400, "class.images[1]"),
            ({"class": {"image": picture()}, "style": {"image": "aGVsbG8="}}, 400, "style.image"),
            ({"class": {"images": [picture()] * 17}, "style": {"image": picture()}}, 413, "class.images"),
            ({"class": {"image": npy(np.zeros((2, 32, 32)))}, "style": {"image": picture()}}, 413, "class.image"),
            ({"class": {"image": picture()}, "style": {"image": npy(np.zeros((2, 32, 32)))}}, 413, "style.image"),
        ],
    )
    def test_another_body_than_documented_is_refused(
        self, client: TestClient, body: Any, status: int, where: str | None
    ) -> None:
        answer = client.post("/recombine?model=group", json=body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().get("where") == where

    def test_as_json_it_is_an_image_of_no_values(self, client: TestClient) -> None:
        body = {"class": {"image": image({0: 0.9})}, "style": {"image": image({2: 0.7})}}
        answer = client.post("/recombine?model=group", json=body, headers=JSON).json()
        DecodeAnswer.model_validate(answer, extra="forbid")
        assert answer["items"][0]["attributes"] is None
        drawn = client.post("/recombine?model=group", json=body).content
        assert base64.b64decode(answer["items"][0]["image"]) == drawn


@pytest.mark.parametrize("path", ["/edit", "/recombine"])
class TestBoth:
    def body(self, path: str, other: float = 0.9) -> dict[str, Any]:
        if path == "/edit":
            return {"image": image({2: 0.7}), "set": {"style0": other}}
        return {"class": {"image": image({0: other})}, "style": {"image": image({2: 0.7})}}

    @pytest.mark.parametrize(
        "media",
        ["image/png", "image/webp", "image/gif", "image/apng", "application/x-npy", "application/zip"],
    )
    def test_answers_in_the_formats_of_decode_with_its_headers(self, client: TestClient, path: str, media: str) -> None:
        first, second = (
            client.post(f"{path}?model=group", json=self.body(path), headers={"Accept": media}) for _ in range(2)
        )
        assert first.status_code == 200
        assert first.headers["content-type"] == media
        assert first.content == second.content
        assert first.headers["etag"] == second.headers["etag"]
        assert first.headers["etag"].startswith('W/"')
        for header in ("X-Request-ID", "X-Model-Digest", "X-Execution-Provider", "Server-Timing"):
            assert first.headers[header]
        other = client.post(f"{path}?model=group", json=self.body(path, 0.1), headers={"Accept": media})
        assert other.headers["etag"] != first.headers["etag"]

    def test_refuses_what_all_routes_refuse(self, client: TestClient, path: str) -> None:
        body = self.body(path)
        assert client.post(f"{path}?model=group", json=body, headers={"Accept": "text/html"}).status_code == 406
        assert client.post(f"{path}?model=nope", json=body).status_code == 404
        assert client.post(f"{path}?model=group&x=1", json=body).status_code == 422
        assert client.post(f"{path}?model=group", content=b"{", headers=BODY).status_code == 400
        assert client.post(f"{path}?model=group", content=b"x").status_code == 415
        assert client.get(path).status_code == 405
