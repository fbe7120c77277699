from __future__ import annotations

import logging

import pytest
from starlette.testclient import TestClient


def test_a_sane_request_id_is_kept_and_another_is_replaced(client: TestClient):
    assert client.get("/health/live", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    for insane in ("", "a b", "x" * 129, 'a"b', "é".encode()):
        made = client.get("/health/live", headers={"X-Request-ID": insane}).headers["X-Request-ID"]
        assert len(made) == 32
    assert made != client.get("/health/live").headers["X-Request-ID"]


def test_answers_say_where_their_time_went(client: TestClient):
    header = client.get("/decode").headers["Server-Timing"]
    phases = dict(part.split(";dur=") for part in header.split(", "))
    assert set(phases) == {"queue", "inference", "encoding", "total"}
    assert 0 < float(phases["inference"]) < float(phases["total"])


def test_answers_say_which_model_made_them_and_where(client: TestClient):
    for response in (client.get("/decode"), client.post("/decode", json={"attributes": {"scale": 9}})):
        assert len(response.headers["X-Model-Digest"]) == 64
        assert response.headers["X-Execution-Provider"] == "CPUExecutionProvider"
    assert "X-Model-Digest" not in client.get("/health/live").headers


def test_every_request_is_logged_without_its_query(client: TestClient, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "spritevae.access"):
        client.get("/health/live?x=secret")
        client.get("/a%0Ab")
    first, second = (vars(record) for record in caplog.records if record.name == "spritevae.access")
    assert (first["method"], first["path"], first["status"]) == ("GET", "/health/live", 200)
    assert first["milliseconds"] > 0
    assert not any("secret" in str(value) for value in first.values())
    assert (second["path"], second["status"]) == ("/a%0Ab", 404)


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "x", "1" * 10, "600001", " "])
def test_a_timeout_that_is_none_is_refused(client: TestClient, given: str):
    answer = client.get("/decode", headers={"X-Request-Timeout-Ms": given})
    assert answer.status_code == 400
    assert answer.json()["detail"] == f"X-Request-Timeout-Ms: got {given!r}; accepts a whole number from 1 to 600000"


def test_head_is_answered_as_get_without_the_body(client: TestClient):
    paths = client.get("/openapi.json").json()["paths"]
    gets = [path for path, methods in paths.items() if "get" in methods and "{" not in path]
    assert "/decode" in gets
    for path in [*gets, "/models/grey", "/models/nothing", "/docs", "/openapi.json", "/v2/models/grey/ready"]:
        whole, head = client.get(path), client.head(path)
        assert head.status_code == whole.status_code, path
        assert head.content == b""
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        if path != "/metrics":  # counts itself
            assert head.headers["Content-Length"] == whole.headers["Content-Length"], path
    assert client.head("/encode").status_code == 405


def test_head_is_logged_as_head(client: TestClient, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "spritevae.access"):
        client.head("/models")
    assert [vars(record)["method"] for record in caplog.records if record.name == "spritevae.access"] == ["HEAD"]
