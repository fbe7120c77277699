from __future__ import annotations

import pytest
from fastapi import Request

from service.problems import Problem
from service.web.negotiation import MAX_ACCEPT, negotiate

OFFERED = ("image/png", "image/webp", "application/json")


def asking(*accept: str) -> Request:
    """A request with these lines of Accept."""
    return Request({"type": "http", "headers": [(b"accept", line.encode()) for line in accept]})


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/*;q=0.9, image/*;q=0.8", "application/json"),
        ("image/png;q=0.1, image/webp;q=0.2", "image/webp"),
        ("image/webp, */*;q=0.8", "image/webp"),
        ("image/png;q=0, image/*", "image/webp"),
        ("text/html, image/avif, image/webp, image/apng, */*;q=0.8", "image/webp"),
        ("image/png;q=high, image/webp", "image/webp"),
        ("image/png;q=high, image/*;q=0.5, application/json;q=0.9", "application/json"),
        ("image/webp;level=1, image/png;q=0.9", "image/webp"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/*;q=0.3, application/json;q=0.2", "application/json"),
        ("image/webp; Q = 0.1, image/png;q=0.2", "image/png"),
        ('application/json;profile="a, image/png";q=0.5, image/webp;q=0.6', "image/webp"),
        ('application/json;profile="a;q=0, \\"b";q=0.5, image/webp;q=0.4', "application/json"),
        ('image/webp;note="never ended, image/png', "image/webp"),
    ],
)
def test_the_offer_of_highest_quality_is_chosen(accept: str, chosen: str):
    assert negotiate(asking(accept), OFFERED) == chosen


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "image/png"),  # Java, if it is told nothing else
        ("*", "image/png"),
        ("*;q=0.5, image/webp", "image/webp"),
        ("image/png;q=.1, image/webp;q=.2", "image/webp"),
        ("image/png;q=0.8887, image/webp;q=0.8888", "image/webp"),
        ("image/png;q=0.9, image/webp;q=1.", "image/webp"),
        ("image/png;q=1e-3, image/webp;q=0.1", "image/webp"),
        ("image/webp;q=7", "image/webp"),
        ("image/png;q=1.0, image/webp;q=7", "image/png"),
    ],
)
def test_ranges_and_q_values_that_the_rfc_does_not_know_are_read_as_they_are_meant(accept: str, chosen: str):
    assert negotiate(asking(accept), OFFERED) == chosen


@pytest.mark.parametrize("accept", [" ", ",", " , ,\t"])
def test_an_empty_header_accepts_everything(accept: str):
    assert negotiate(asking(accept), OFFERED) == "image/png"
    assert negotiate(asking("", ""), OFFERED) == "image/png"


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/png;q=0",
        "image/png;q=.0, image/webp;q=0.0000, application/json;q=0",
        "image/*;q=0, application/*;q=0, */*",
        "*;q=0",
        "*/*;q=0",
        "*/*;q=nan",
        "*/*;q=-1",
        "*/*;q=",
        "nonsense",
        ";",
        ";q=1",
    ],
)
def test_nothing_acceptable_is_a_406_that_lists_what_there_is(accept: str):
    with pytest.raises(Problem) as caught:
        negotiate(asking(accept), OFFERED)
    assert caught.value.status_code == 406
    assert caught.value.members["offered"] == list(OFFERED)


def test_several_accept_lines_count_as_one():
    assert negotiate(asking("text/html", "image/webp"), OFFERED) == "image/webp"
    assert negotiate(asking(), OFFERED) == "image/png"


def test_a_header_of_thousands_of_ranges_is_refused_without_being_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.web.negotiation.preferred", lambda accept, offered: pytest.fail("it is read"))
    for accept in ("image/png;q=0.1," * 4000, "a" * (MAX_ACCEPT + 1)):
        with pytest.raises(Problem) as caught:
            negotiate(asking(accept), ("image/png",))
        assert caught.value.status_code == 431
