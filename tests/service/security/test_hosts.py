from __future__ import annotations

import pytest

from service.security import hosts


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("example.com", "example.com"),
        ("Example.COM.:8000", "example.com"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("", ""),
    ],
)
def test_a_host_header_is_a_name_and_perhaps_a_port(header: str, name: str):
    assert hosts.host_name(header) == name


@pytest.mark.parametrize(
    "header",
    [
        "[::1].example.com",
        "[::1]x:80",
        "localhost:x",
        "localhost:80.example.com",
        "127.0.0.1:80.example.com",
        "localhost:80:80",
        "::1",
        "me@localhost",
        "localhost/",
        "localhost\\.example.com",
        "localhost, example.com",
        "localhost example.com",
        "[localhost]",
    ],
)
def test_what_only_begins_like_a_host_is_none(header: str):
    assert hosts.host_name(header) is None


@pytest.mark.parametrize("name", ["localhost", "app.localhost", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_this_machine_has_names_and_addresses_of_its_own(name: str):
    assert hosts.is_loopback(name)


@pytest.mark.parametrize(
    "name", ["", "example.com", "localhost.example.com", "notlocalhost", "10.0.0.1", "0.0.0.0", "::"]
)
def test_other_names_are_not_this_machine(name: str):
    assert not hosts.is_loopback(name)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", False),
        ("example.com", "badexample.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "badexample.com", False),
        ("*", "anything", True),
        ("*", "", True),
    ],
)
def test_a_pattern_matches_a_name_or_all_below_it(pattern: str, name: str, matches: bool):
    assert hosts.matches(pattern, name) is matches


@pytest.mark.parametrize("text", ["*", "example.com", "*.Example.com", "10.0.0.1", "::1", "my_host"])
def test_patterns_are_names_and_addresses(text: str):
    assert hosts.pattern(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    ["", "example.com:8000", "127.0.0.1:8000", "http://example.com", "a/b", "*example.com", "a..b", "[::1]", "**"],
)
def test_what_could_never_fit_is_no_pattern(text: str):
    with pytest.raises(ValueError, match="without a port"):
        hosts.pattern(text)


@pytest.mark.parametrize(
    "text", ["*", "https://Example.com", "http://localhost:3000", "http://[::1]:80", "tauri://localhost"]
)
def test_origins_are_as_browsers_send_them(text: str):
    assert hosts.origin(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "null", "example.com", "https://example.com/", "https://a/b", "https://", "https://*"]
)
def test_what_no_browser_sends_is_no_origin(text: str):
    with pytest.raises(ValueError, match="without a path"):
        hosts.origin(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("fd00::1", "fd00::1"), ("unix", "unix")],
)
def test_an_ipv4_address_within_ipv6_is_written_as_one(text: str, plain: str):
    assert hosts.plain_address(text) == plain
