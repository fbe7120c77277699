"""How data is to be read, and names of attributes."""

import json

import pytest

from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.listing import AS_FOUND, Reading, attribute_name, parts_of


def test_a_reading_survives_json() -> None:
    reading = Reading(tile=(32, 16), levels=("a", "b"), skip_bad=True, fit="pad", ignore=("x",))
    assert Reading.of(json.loads(json.dumps(reading.given))) == reading
    assert AS_FOUND.given == {}
    assert Reading.of({}) == AS_FOUND


@pytest.mark.parametrize("wrong", [{"fit": "stretch"}, {"tile": (0, 8)}, {"margin": -1}, {"spacing": -2}])
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError, match=f"--{next(iter(wrong))}"):
        Reading.of(wrong)


@pytest.mark.parametrize(
    ("text", "name"), [("hair colour", "hair_colour"), (" 3d-view ", "_3d_view"), ("§", "column"), ("größe", "größe")]
)
def test_any_text_gives_a_name(text: str, name: str) -> None:
    assert attribute_name(text) == name
    assert name.isidentifier()


def test_a_split_is_one_only_if_all_its_values_are_parts() -> None:
    columns = {"split": Cells.of(["Train", "val", "train"], str), "x": Cells.of("abc", str)}
    parts = parts_of(columns)
    assert parts is not None
    assert [parts.distinct[code].text for code in parts.codes] == ["train", "validation", "train"]
    assert list(columns) == ["x"]
    assert parts_of({"split": Cells.of(["train", "banana"], str)}) is None
