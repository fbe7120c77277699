"""The files that the fuzzer of images makes."""

from __future__ import annotations

import pytest

from service.codecs.decode import PILLOW_FORMATS
from service.codecs.parts import check_parts
from tests.soak.structures import CHANGES, VALID, _joined, _pieces, made, valid


def test_a_file_is_the_same_for_a_seed_and_another_for_another():
    assert made(7, 3) == made(7, 3)
    assert made(7, 3) != made(8, 3)


@pytest.mark.parametrize("kind", VALID)
def test_files_are_made_of_valid_ones_in_pieces(kind: tuple[str, str]):
    form, data, pieces = kind[0], valid(*kind), [*_pieces(*kind)]
    check_parts(data, form)
    assert len(pieces) > 1
    assert b"".join(pieces) == _joined(form, pieces, mended=True) == data


def test_every_format_and_change_comes_sooner_or_later():
    files = [made(0, number) for number in range(500)]
    assert {file.form for file in files} == {*PILLOW_FORMATS.values()}
    changes = {change.__name__.strip("_") for change in CHANGES}
    assert changes <= {word for file in files for word in file.made.split(": ")[1].split(", ")}
