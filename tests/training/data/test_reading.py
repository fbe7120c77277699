"""How people say that their images are to be read."""

import json

import pytest

from training.data.reading import AS_FOUND, Reading


def test_a_reading_survives_json() -> None:
    reading = Reading(tile=(32, 16), levels=("a", "b"), skip_bad=True, fit="pad", ignore=("x",))
    assert Reading.of(json.loads(json.dumps(reading.given))) == reading
    assert AS_FOUND.given == {}
    assert Reading.of({}) == AS_FOUND


@pytest.mark.parametrize("wrong", [{"fit": "stretch"}, {"tile": (0, 8)}, {"margin": -1}, {"spacing": -2}])
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"--{next(iter(wrong))}"):
        Reading.of(wrong)
