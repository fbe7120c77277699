from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from service.settings import Settings
from tests.service.toys import image

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_another_content_type_than_json_is_a_415(client: TestClient, media: str):
    response = client.post("/decode", content=b"{}", headers={"Content-Type": media})
    assert response.status_code == 415
    assert response.json()["accepted"] == ["application/json"]


def test_parameters_of_the_content_type_are_fine(client: TestClient):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/decode", content=b'{"attributes": {}}', headers=headers).status_code == 200


@pytest.mark.parametrize("body", ['{"attributes": [%s]}', '{"z": [%s]}'])
def test_json_of_very_many_values_is_refused_before_it_is_parsed(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, body: str
):
    monkeypatch.setattr("service.web.request_bodies.parse_json", lambda body: pytest.fail("parsed"))
    most = 512 * settings.max_frames
    response = client.post("/decode", content=body % ",".join(["{}"] * most), headers=JSON)
    assert (response.status_code, response.json()["limit"]) == (413, most)


def test_as_many_items_as_may_be_with_all_that_encode_says_of_them_are_not_too_many(
    client: TestClient, settings: Settings
):
    items = client.post("/encode?detail=weights", json={"images": [image({0: 1})] * settings.max_items}).json()["items"]
    body = {"attributes": [item["attributes"] for item in items]}
    assert client.post("/decode", json=body).status_code == 200
