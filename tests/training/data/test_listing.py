"""Names of attributes, and parts of the data."""

import pytest

from training.data.cells import Cells
from training.data.listing import attribute_name, parts_of


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
