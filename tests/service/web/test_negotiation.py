from __future__ import annotations

import pytest
from fastapi import Request

from service.problems import Problem
from service.web.negotiation import negotiate

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
    ],
)
def test_the_offer_of_highest_quality_is_chosen(accept: str, chosen: str):
    assert negotiate(asking(accept), OFFERED) == chosen


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=0", "*/*;q=0", "*/*;q=nan", "*/*;q=-1", "nonsense"])
def test_nothing_acceptable_is_a_406_that_lists_what_there_is(accept: str):
    with pytest.raises(Problem) as caught:
        negotiate(asking(accept), OFFERED)
    assert caught.value.status_code == 406
    assert caught.value.members["offered"] == list(OFFERED)


def test_several_accept_lines_count_as_one():
    assert negotiate(asking("text/html", "image/webp"), OFFERED) == "image/webp"
    assert negotiate(asking(), OFFERED) == "image/png"
