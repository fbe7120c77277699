from __future__ import annotations

import pytest
from starlette.types import Scope

from service.web.scope import METHODS, PROBES, header, joined_header, method_label, without_prefix

SCOPE: Scope = {"headers": [(b"accept", b"image/png"), (b"x", b""), (b"accept", b"image/webp;q=0.5"), (b"y", b"\xe9")]}


def test_a_header_is_the_first_of_its_name_or_empty():
    assert header(SCOPE, b"accept") == b"image/png"
    assert header(SCOPE, b"x") == b""
    assert header(SCOPE, b"z") == b""


def test_headers_of_one_name_are_joined_with_commas():
    """RFC 9110, section 5.3."""
    assert joined_header(SCOPE, b"accept") == "image/png,image/webp;q=0.5"
    assert joined_header(SCOPE, b"z") == ""


def test_bytes_that_are_no_ascii_are_latin_1():
    assert joined_header(SCOPE, b"y") == "é"


@pytest.mark.parametrize("method", METHODS)
def test_a_known_method_is_its_own_label(method: str):
    assert method_label({"method": method}) == method


@pytest.mark.parametrize("method", ["BREW", "get", "", "X" * 1000])
def test_clients_can_invent_no_label(method: str):
    assert method_label({"method": method}) == "other"


def test_probes_are_the_health_routes_of_both_protocols():
    assert {f"{prefix}/health/{name}" for prefix in ("", "/v2") for name in ("live", "ready")} == PROBES


@pytest.mark.parametrize(
    ("path", "bare"),
    [
        ("/sprites/decode", "/decode"),
        ("/decode", "/decode"),
        ("/sprites", "/"),
        ("/sprites/", "/"),
        ("/spritesheet", "/spritesheet"),
    ],
)
def test_a_path_may_come_with_its_prefix_or_without(path: str, bare: str):
    scope: Scope = {"type": "http", "path": path}
    assert without_prefix(scope, "/sprites") == {"type": "http", "path": bare, "root_path": "/sprites"}
    assert scope["path"] == path
