"""/recombine as a route; what it does to z is tested in latent/test_groups.py."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service.web.response_schemas import DecodeAnswer
from tests.service.toy_systems import DISCRETE
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
def test_another_body_than_documented_is_refused(client: TestClient, body: Any, status: int, where: str | None) -> None:
    answer = client.post("/recombine?model=group", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("where") == where


def test_as_json_it_is_an_image_of_no_values(client: TestClient) -> None:
    body = {"class": {"image": image({0: 0.9})}, "style": {"image": image({2: 0.7})}}
    answer = client.post("/recombine?model=group", json=body, headers=JSON).json()
    DecodeAnswer.model_validate(answer, extra="forbid")
    assert answer["items"][0]["attributes"] is None
    drawn = client.post("/recombine?model=group", json=body).content
    assert base64.b64decode(answer["items"][0]["image"]) == drawn


def changed(digit: float = 0.9) -> dict[str, Any]:
    return {"class": {"image": image({0: digit})}, "style": {"image": image({2: 0.7})}}


@pytest.mark.parametrize(
    "media",
    ["image/png", "image/webp", "image/gif", "image/apng", "application/x-npy", "application/zip"],
)
def test_answers_in_the_formats_of_decode_with_its_headers(client: TestClient, media: str) -> None:
    first, second = (client.post("/recombine?model=group", json=changed(), headers={"Accept": media}) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["content-type"] == media
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].startswith('W/"')
    for header in ("X-Request-ID", "X-Model-Digest", "X-Execution-Provider", "Server-Timing"):
        assert first.headers[header]
    other = client.post("/recombine?model=group", json=changed(0.1), headers={"Accept": media})
    assert other.headers["etag"] != first.headers["etag"]


def test_refuses_what_all_routes_refuse(client: TestClient) -> None:
    body = changed()
    assert client.post("/recombine?model=group", json=body, headers={"Accept": "text/html"}).status_code == 406
    assert client.post("/recombine?model=nope", json=body).status_code == 404
    assert client.post("/recombine?model=group&x=1", json=body).status_code == 422
    assert client.post("/recombine?model=group", content=b"{", headers=BODY).status_code == 400
    assert client.post("/recombine?model=group", content=b"x").status_code == 415
    assert client.get("/recombine").status_code == 405
