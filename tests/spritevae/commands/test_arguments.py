import argparse

import pytest

from spritevae.commands.arguments import assignments, whole_number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("2147483647", 2**31 - 1)])
def test_a_whole_number_in_range_is_accepted(text: str, number: int) -> None:
    assert whole_number(1)(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "2147483648"])
def test_a_whole_number_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"{text} is not from 1 to 2147483647"):
        whole_number(1)(text)


def test_assignments_keep_what_stands_behind_the_first_equals_sign_and_the_last_of_a_name() -> None:
    assert assignments(["a=1", "path=x=y", "a=", "b=2"]) == {"a": "", "path": "x=y", "b": "2"}
    assert assignments([]) == {}


def test_text_without_an_equals_sign_is_no_assignment() -> None:
    with pytest.raises(ValueError, match="settings are given as NAME=VALUE, got 'images'"):
        assignments(["a=1", "images"])
