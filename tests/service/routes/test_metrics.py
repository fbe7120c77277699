from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient


def test_metrics_are_in_the_format_of_prometheus(client: TestClient):
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {"spritevae_request_seconds", "spritevae_batch_images", "spritevae_model_info"} <= names
    assert all(name.startswith(("spritevae_", "process_", "python_")) for name in names)


def test_metrics_have_no_parameters(client: TestClient):
    assert client.get("/metrics?name=x").status_code == 422
    assert client.post("/metrics").headers["Allow"] == "GET, HEAD"


def test_no_value_of_a_client_becomes_a_label(client: TestClient):
    client.get("/decode?shape=a-label-of-a-client")
    client.get("/a-path-of-a-client")
    text = client.get("/metrics").text
    assert "of-a-client" not in text
