"""What an edit does to z, as toys show it whose encoder reads weights from pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service.web.response_schemas import DecodeAnswer
from tests.service.toy_systems import DISCRETE, EFFECT, ROWS
from tests.service.toys import image, pixels_of

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


@pytest.mark.parametrize(
    ("value", "weights"),
    [(2, [0, 0, 1]), ("ellipse", [0, 1, 0]), ([1, 0, 3], [0.25, 0, 0.75]), ({"value": "heart"}, [0, 0, 1])],
)
def test_sets_every_form_of_a_value(client: TestClient, value: Any, weights: list[float]) -> None:
    drawn = edited(client, {"image": picture(shape=0), "set": {"shape": value}})
    assert drawn[:3] == pytest.approx(weights, abs=1 / 255)


def test_leaves_all_that_was_not_changed(client: TestClient) -> None:
    """A faint square stays as faint, and in doubt, when its scale is changed."""
    faint = image({0: 0.6, 1: 0.2, 3: 1, 9: 1, 49: 1})
    drawn = edited(client, {"image": faint, "set": {"scale": 5}})
    assert drawn[:9] == pytest.approx([0.6, 0.2, 0, 0, 0, 0, 0, 0, 1], abs=1 / 255)


def test_leaves_no_ghost_of_what_was_changed(client: TestClient) -> None:
    """Whoever says heart means heart, however sure the encoder was."""
    doubtful = image({0: 0.6, 1: 0.4, 3: 1, 9: 1, 49: 1})
    assert edited(client, {"image": doubtful, "set": {"shape": "heart"}})[:3] == pytest.approx([0, 0, 1], abs=1e-3)


def test_setting_what_encode_says_is_almost_the_reconstruction(client: TestClient) -> None:
    decoded = {"shape": "ellipse", "scale": 2.25, "orientation": 38.5, "pos_x": 17}
    source = client.post("/decode", json={"attributes": decoded}, headers=JSON).json()["items"][0]["image"]
    (item,) = client.post("/encode", json={"images": [source]}).json()["items"]
    reconstructed = pixels_of(client.post("/decode", json={"z": item["z"]}, headers=NPY))[0]
    drawn = edited(client, {"image": source, "set": item["attributes"]})
    np.testing.assert_allclose(drawn, reconstructed, atol=2 / 255)


@pytest.mark.parametrize(
    ("start", "step", "end"), [(38, 2, 1), (0, -1, 38), (5, 39, 5), (5, -0.5, 4.5), (5, 390.25, 5.25)]
)
def test_circular_attributes_move_past_their_seam(client: TestClient, start: int, step: float, end: float) -> None:
    body = {"image": picture(orientation=start), "add": {"orientation": step}}
    assert values_after(client, body)["orientation"] == pytest.approx(end, abs=1e-3)
    drawn = edited(client, body)[9:48]
    assert drawn[int(end)] == pytest.approx(1 - end % 1, abs=2 / 255)


def test_a_step_that_the_class_can_take_ends_at_the_end_however_it_was_read(client: TestClient) -> None:
    """Class 4 read as 4.09 and moved by 1 is class 5, the last one; and 0.91 moved by -1 is class 0."""
    above = image({0: 1, 3 + 4: 1, 3 + 5: 0.1, 9: 1, 49: 1})
    assert values_after(client, {"image": above, "add": {"scale": 1}})["scale"] == 5
    below = image({0: 1, 3 + 1: 1, 3: 0.1, 9: 1, 49: 1})
    assert values_after(client, {"image": below, "add": {"scale": -1}})["scale"] == 0
    assert client.post("/edit", json={"image": above, "add": {"scale": 1.1}}).status_code == 422


def test_continuous_attributes_move_up_to_their_limits(client: TestClient) -> None:
    """Pixel 2 at 0.6 is a style of 1; its range ends at 2, its limits at 4."""
    body = {"image": image({2: 0.6}), "add": {"style0": 2.5}}
    assert values_after(client, body, "group")["style0"] == pytest.approx(3.5, abs=1e-5)
    assert edited(client, body, "group")[2] == pytest.approx(0.85, abs=1 / 255)
    refused = client.post("/edit?model=group", json=body | {"add": {"style0": 3.5}})
    assert refused.status_code == 422
    assert "accepts steps that end within -4 to 4; this one ends at 4.5" in refused.json()["detail"]


def test_the_class_of_a_group_keeps_what_is_particular_to_the_image(client: TestClient) -> None:
    """An image one beside its class's row stays one beside the other class's row, nearly: it is sure of it."""
    beside = image({0: (4 + 1 + 5) / 10, 1: 0.5, 2: 0.7, 3: 0.3})
    drawn = edited(client, {"image": beside, "set": {"digit": "zero"}}, "group")
    assert drawn[:4] == pytest.approx([(ROWS[0, 0] + 1 + 5) / 10, 0.5, 0.7, 0.3], abs=2 / 255)


def test_a_condition_is_set_and_the_style_kept(client: TestClient) -> None:
    body = {"image": image({1: 1, 3 + 4: 1, 9: 0.6}), "set": {"shape": "heart"}}
    drawn = edited(client, body, "conditional")
    assert drawn[:9] == pytest.approx([0, 0, 1, 0, 0, 0, 0, 1, 0], abs=1e-3)
    # the style of z stays, and the decoder takes off what it knows of a heart instead of an ellipse
    assert drawn[9] == pytest.approx(0.6 + (EFFECT[1] - EFFECT[2]) / 10, abs=1 / 255)


def test_says_where_an_attribute_can_not_be_mixed(client: TestClient) -> None:
    def mixing(change: dict[str, Any]) -> str | None:
        doubtful = image({0: 0.6, 1: 0.4, 3: 1, 9 + 3: 1, 49: 1})
        return client.post("/edit?model=codes", json={"image": doubtful} | change).headers.get("X-Mixing")

    assert mixing({"add": {"orientation": 0.5}}) == "nearest"
    assert mixing({"set": {"shape": [1, 1, 0]}}) == "nearest"
    assert mixing({"set": {"orientation": 7}}) is None
    assert mixing({"add": {"scale": 0.5}}) is None
