from __future__ import annotations

import re

import pytest

from service.app import ROUTERS
from service.security.proxies import path_prefix, trusted_proxy


@pytest.mark.parametrize("text", ["", "/sprites", "/my/models", "/a-b_c.d~e/@1", "/v3"])
def test_a_prefix_is_a_path(text: str):
    assert path_prefix(text) == text


@pytest.mark.parametrize(
    "text",
    ["/", "sprites", "/sprites/", "//sprites", "/a?b", "/a#b", "/a b", "/a%20b", "/..", "/a/./b", "http://a/b", "/ä"],
)
def test_what_is_no_path_is_no_prefix(text: str):
    with pytest.raises(ValueError, match="accepts a path like /sprites"):
        path_prefix(text)


def test_no_path_of_the_service_is_a_prefix():
    paths = [route.path for router in ROUTERS for route in router.routes if route.path != "/"]
    for path in [*paths, "/openapi.json", "/docs", "/health", "/v2"]:
        with pytest.raises(ValueError, match="accepts no path of the service itself"):
            path_prefix(re.sub(r"\{.*?\}", "name", path))


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1", "*"])
def test_proxies_are_addresses_and_networks(text: str):
    assert trusted_proxy(text).removesuffix("/32").removesuffix("/128") == text


@pytest.mark.parametrize("text", ["", "proxy.example", "10.0.0.1/8", "10.0.0.256", "10.0.0.1:80"])
def test_what_would_never_match_is_refused(text: str):
    with pytest.raises(ValueError, match="accepts addresses, networks"):
        trusted_proxy(text)
