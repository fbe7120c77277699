"""Cells of columns: each different text once."""

import numpy as np

from training.data.cells import Cell, Cells


def test_rows_with_the_same_text_share_its_first_cell() -> None:
    cells = Cells.of(["b", "a", "b", ""], lambda row: f"t.csv, row {row + 2}")
    assert cells.distinct == [Cell("b", "t.csv, row 2"), Cell("a", "t.csv, row 3"), Cell("", "t.csv, row 5")]
    assert cells.codes.tolist() == [0, 1, 0, 2]
    assert cells.counts.tolist() == [2, 1, 1]
    assert cells.distinct[0].row == "row 2"


def test_columns_of_several_tables_are_joined() -> None:
    first, second = Cells.of(["b", "a"], str), Cells.of(["c", "a"], lambda row: f"second {row}")
    joined = Cells.joined([first, second, Cells.same("", "third", 2)])
    assert [joined.distinct[code].text for code in joined.codes] == ["b", "a", "c", "a", "", ""]
    assert joined.distinct[1].where == "1"


def test_rows_are_taken_with_only_their_texts() -> None:
    taken = Cells.of(["b", "a", "c", "a"], str).take(np.array([3, 0, 3]))
    assert [taken.distinct[code].text for code in taken.codes] == ["a", "b", "a"]
    assert len(taken.distinct) == 2


def test_texts_that_are_known_come_with_codes() -> None:
    cells = Cells.coded(["x", "y"], {0: "row 5", 1: "row 7"}, np.array([1, 0, 1]))
    assert cells.distinct == [Cell("x", "row 5"), Cell("y", "row 7")]
    assert cells.counts.tolist() == [1, 2]


def test_a_column_is_empty_where_a_row_or_a_table_has_not_its_name() -> None:
    first = Cells.columns([{"a": "x"}, {"b": "y"}], lambda row: f"first {row}")
    joined = Cells.joined_columns([(first, "first", 2), (Cells.columns([{"b": "z"}], str), "second", 1)])
    texts = {name: [cells.distinct[code].text for code in cells.codes] for name, cells in joined.items()}
    assert texts == {"a": ["x", "", ""], "b": ["", "y", "z"]}
