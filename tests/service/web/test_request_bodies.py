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
def test_json_of_very_many_values_is_refused_before_it_is_parsed(client: TestClient, settings: Settings, body: str):
    most = 512 * settings.max_frames
    content = body % ",".join(["{}"] * most)
    for malformed in ("", "]"):  # a parser would refuse the second with 400
        response = client.post("/decode", content=content + malformed, headers=JSON)
        assert (response.status_code, response.json()["limit"]) == (413, most)


def test_as_many_items_as_may_be_with_all_that_encode_says_of_them_are_not_too_many(
    client: TestClient, settings: Settings
):
    items = client.post("/encode?detail=weights", json={"images": [image({0: 1})] * settings.max_items}).json()["items"]
    body = {"attributes": [item["attributes"] for item in items]}
    assert client.post("/decode", json=body).status_code == 200


@pytest.mark.parametrize("media", ["text/plain", "image/svg+xml", "image/tiff", "image/heic", "image/x-icon", ""])
def test_another_content_type_is_a_415_that_lists_what_is_accepted(client: TestClient, media: str):
    response = client.post("/encode", content=b"x", headers={"Content-Type": media})
    assert response.status_code == 415
    assert "image/png" in response.json()["accepted"]


def test_multipart_takes_files_only(client: TestClient):
    file = ("a.png", client.get("/decode").content, "image/png")
    assert client.post("/encode", files={"f": file}, data={"note": "x"}).status_code == 422
    assert client.post("/encode", files={"f": ("a.txt", b"x", "text/plain")}).status_code == 415
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/encode", content=b"--x--\r\n", headers=boundary).status_code == 422


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: \xff\xfe\r\n\r\nx\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x--", "multipart/form-data"),
        (b"--x--", "multipart/form-data; boundary="),
        (b"--x--", "multipart/form-data; boundary=" + "x" * 1000),
    ],
)
def test_malformed_multipart_is_no_500(client: TestClient, content: bytes, media: str):
    response = client.post("/encode", content=content, headers={"Content-Type": media})
    assert response.status_code in (400, 422), response.text
