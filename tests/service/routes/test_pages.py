from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient


def test_the_start_leads_to_the_documentation(client: TestClient):
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "docs")


def test_the_documentation_needs_only_files_of_this_service(client: TestClient):
    page = client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    files = [address for address in needed if address != "data:,"]
    assert len(files) == 3
    for address in files:
        assert not re.match(r"\w+:|//", address)
        answer = client.get(f"/{address}")
        assert answer.status_code == 200
        kind = "text/css" if address.endswith(".css") else "javascript"
        assert kind in answer.headers["Content-Type"]
    assert not re.search(r"<script>|<style| on\w+=| style=", page.text), "the policy runs no script within a page"


def test_the_documentation_shows_this_services_own_document(client: TestClient):
    script = client.get("/docs/start.js").text
    (address,) = re.findall(r'url: "(.+?)"', script)
    assert client.get(f"/{address}").json()["info"]["title"] == "spritevae"


def test_a_file_is_sent_once(client: TestClient):
    tag = client.get("/docs/swagger-ui-bundle.js").headers["ETag"]
    assert client.get("/docs/swagger-ui-bundle.js", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("file", ["nothing", "%2e%2e", "..%2f..%2fapp.py", "%00", "x" * 300, "__init__.py"])
def test_there_is_no_other_file(client: TestClient, file: str):
    answer = client.get(f"/docs/{file}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_address_with_a_slash_too_many_leads_nowhere(client: TestClient):
    for path in ("/models/", "/docs/", "/decode/"):
        answer = client.get(path, headers={"Host": "elsewhere.example"}, follow_redirects=False)
        assert answer.status_code == 404
        assert "elsewhere" not in answer.text
