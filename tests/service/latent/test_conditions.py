"""/encode?given=: a conditional toy that reads weights from pixels where it is not told them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from service.web.response_schemas import EncodeAnswer
from tests.service.toy_systems import EFFECT, STYLE_SD
from tests.service.toys import image

ELLIPSE, SCALE_4, STYLE = 1, 3 + 4, 9
PICTURE = image({ELLIPSE: 1, SCALE_4: 1, STYLE: 0.6})
ALONE = 10 * 0.6 - 5
"""The style that pixel says where nothing is told of shape and scale."""


def encoded(client: TestClient, query: str = "") -> dict[str, Any]:
    answer = client.post(f"/encode?model=conditional&detail=weights{query}", json={"images": [PICTURE]})
    assert answer.status_code == 200, answer.text
    EncodeAnswer.model_validate(answer.json(), extra="forbid")
    return answer.json()["items"][0]


def test_what_is_not_told_is_inferred(client: TestClient) -> None:
    said = encoded(client)["attributes"]
    assert (said["shape"]["value"], said["scale"]["index"]) == ("ellipse", 4)
    assert said["style"]["value"] == pytest.approx(ALONE + EFFECT[[ELLIPSE, SCALE_4]].sum(), abs=1e-4)


def test_what_is_told_comes_back_and_changes_what_else_is_read(client: TestClient) -> None:
    item = encoded(client, "&given=shape:heart,scale:2.5")
    said = item["attributes"]
    assert (said["shape"]["value"], said["shape"]["confidence"], said["shape"]["weights"]) == ("heart", 1, [0, 0, 1])
    assert said["scale"]["value"] == 2.5
    assert said["scale"]["weights"] == [0, 0, 0.5, 0.5, 0, 0]
    assert said["style"]["value"] == pytest.approx(ALONE + EFFECT[2] + EFFECT[[3 + 2, 3 + 3]].mean(), abs=1e-5)
    assert item["z"][:9] == [0, 0, 1, 0, 0, 0.5, 0.5, 0, 0]


def test_of_several_conditions_those_not_told_are_inferred(client: TestClient) -> None:
    said = encoded(client, "&given=shape:heart")["attributes"]
    assert (said["shape"]["value"], said["scale"]["index"]) == ("heart", 4)
    assert said["style"]["value"] == pytest.approx(ALONE + EFFECT[[2, SCALE_4]].sum(), abs=1e-4)


def test_every_image_of_a_request_is_told_the_same(client: TestClient) -> None:
    other = image({0: 1, 3: 1, STYLE: 0.4})
    answer = client.post("/encode?model=conditional&given=shape:2", json={"images": [PICTURE, other]})
    assert [item["attributes"]["shape"]["value"] for item in answer.json()["items"]] == ["heart", "heart"]
    assert [item["attributes"]["scale"]["index"] for item in answer.json()["items"]] == [4, 0]


@pytest.mark.parametrize(
    ("given", "shape", "scale"),
    [
        ("shape:2", [0, 0, 1], [0, 0, 0, 0, 1, 0]),
        ("shape:1,1,2,scale:0", [0.25, 0.25, 0.5], [1, 0, 0, 0, 0, 0]),
        ("scale:0,shape:1,1,2", [0.25, 0.25, 0.5], [1, 0, 0, 0, 0, 0]),
        ("scale:0,1,1,0,0,0", [0, 1, 0], [0, 0.5, 0.5, 0, 0, 0]),
    ],
)
def test_values_are_labels_numbers_or_weights(
    client: TestClient, given: str, shape: list[float], scale: list[float]
) -> None:
    said = encoded(client, f"&given={given}")["attributes"]
    assert said["shape"]["weights"] == pytest.approx(shape, abs=1e-5)
    assert said["scale"]["weights"] == pytest.approx(scale, abs=1e-5)


def test_the_spread_of_a_style_beside_conditions_is_known(client: TestClient) -> None:
    """The posterior has one code, z ten dimensions."""
    assert encoded(client)["attributes"]["style"]["sd"] == pytest.approx(STYLE_SD)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("model=grey&given=shape:heart", "query.given: got 'shape:heart'; accepts nothing: this model takes no cond"),
        ("model=conditional&given=style:1", "query.given: got 'style:1'; accepts shape:VALUE, scale:VALUE"),
        ("model=conditional&given=shape", "query.given: got 'shape'; accepts shape:VALUE"),
        ("model=conditional&given=", "query.given: got ''; accepts shape:VALUE"),
        ("model=conditional&given=shape:", "query.given.shape: got ''; accepts 'square'"),
        ("model=conditional&given=shape:blob", "query.given.shape: got 'blob'; accepts 'square', 'ellipse', 'heart'"),
        ("model=conditional&given=scale:6", "query.given.scale: got 6.0; accepts a number from 0 to 5"),
        ("model=conditional&given=scale:nan", "query.given.scale: got nan"),
        ("model=conditional&given=shape:1,2", "query.given.shape: got [1.0, 2.0]"),
        ("model=conditional&given=shape:heart,shape:heart", "query.given: got 'shape:heart'"),
        ("model=conditional&given=shape:heart&given=scale:1", "query.given: given 2 times"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_there_is(client: TestClient, query: str, message: str) -> None:
    answer = client.post(f"/encode?{query}", json={"images": [PICTURE]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert message in answer.json()["detail"]
