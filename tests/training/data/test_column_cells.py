"""What is a number, what is empty and what is text, and how it is said."""

import numpy as np
import pytest

from tests.training.data.folders import MakeFolder, only, refusal, targets
from training.data.cells import Cells
from training.data.column_cells import MISSING, Column, read_column
from training.data.image_dataset import ImageDataset


def column(*texts: str, decimal_commas: bool = False) -> Column:
    cells = Cells.of(texts, lambda row: f"labels.csv, row {row + 2}")
    return read_column(cells, None, decimal_commas=decimal_commas)


def texts_of(column: Column) -> list[str]:
    """The text of each row."""
    return [column.cells.distinct[code].text for code in column.cells.codes]


@pytest.mark.parametrize("word", sorted(MISSING))
def test_a_word_for_nothing_is_empty_among_numbers_and_a_label_in_text(word: str) -> None:
    numbers = column("1", word, "2.5", word)
    assert (numbers.numbers, texts_of(numbers)) == (True, ["1", "", "2.5", ""])
    assert numbers.notes == [f"{word!r} (row 3) counts as empty"]
    text = column("top", word)
    assert (text.numbers, texts_of(text)) == (False, ["top", word])
    assert text.notes == [f"{word!r} (row 3) is a label; leave cells empty where nothing is known"]
    assert not column(word, word).numbers, "a column of nothing else has labels"


@pytest.mark.parametrize("odd", ["1,100", "5%", "-", "na", "12 px"])
def test_the_cell_that_makes_text_of_numbers_is_named(odd: str) -> None:
    read = column("1", "2", odd, "3", odd)
    assert not read.numbers
    assert read.notes == [f"text, as {odd!r} (row 4) is no number, but 3 other cells are"]
    assert column("orc", "elf", "1").notes == [], "most of it is text"


def test_many_odd_cells_are_counted() -> None:
    (note,) = column(*[f"{i}%" for i in range(8)], *map(str, range(9))).notes
    assert note == (
        "text, as '0%' (row 2), '1%' (row 3), '2%' (row 4), '3%' (row 5), '4%' (row 6), '5%' (row 7) and 2 more "
        "is no number, but 9 other cells are"
    )


def test_decimal_commas_are_read_where_they_cannot_separate_thousands() -> None:
    read = column("1,5", "-2", ",25", "1,100", "", decimal_commas=True)
    assert (read.numbers, texts_of(read)) == (True, ["1.5", "-2", ".25", "1.100", ""])
    assert read.notes == ["decimal commas, as in '1,5' (row 2)"]


@pytest.mark.parametrize("texts", [("1,100", "2,250"), ("1,5", "2.5"), ("1,5", "1,100,000")])
def test_commas_that_may_be_something_else_make_text(texts: tuple[str, ...]) -> None:
    read = column("7", "8", *texts, decimal_commas=True)
    assert not read.numbers
    assert not column("7", "8", "9,5", decimal_commas=False).numbers


def test_a_nominal_column_keeps_each_text_and_a_column_known_to_be_numbers_is_read_as_such() -> None:
    cells = Cells.of(["NA", "1,5"], lambda row: f"row {row + 2}")
    assert read_column(cells, "nominal", decimal_commas=True) == Column(cells, numbers=False)
    read = read_column(cells, "continuous", decimal_commas=True)
    assert texts_of(read) == ["", "1.5"]


def test_a_line_for_each_column_says_how_it_was_read(folder: MakeFolder, capsys: pytest.CaptureFixture) -> None:
    rows = ["a,0,0,0.5,1", "b,NA,1,nan,5%", ",2,2,,3", "a,1,1,0.25,4"]
    ImageDataset(folder("kind,level,hue,glow,share", rows), ["hue=circular:12"])
    said = capsys.readouterr().err.splitlines()[:6]
    assert said[0].endswith("labels.csv: 4 rows")
    assert said[1:] == [
        "  kind: nominal, a, b; 1 cells empty",
        "  level: ordinal, 3 classes, 0 to 2; 1 cells empty; 'NA' (row 3) counts as empty",
        "  hue: circular, 12 classes, 0 to 11 of a period of 12",
        "  glow: continuous, 0.25 to 0.5; 2 cells empty; 'nan' (row 3) counts as empty",
        "  share: nominal, 1, 3, 4, 5%; text, as '5%' (row 3) is no number, but 3 other cells are",
    ]


def test_a_column_of_too_many_texts_names_the_cell_that_made_them(folder: MakeFolder) -> None:
    message = refusal(folder("x", [*(f"{i / 8}" for i in range(1500)), "-"]))
    assert "classes at most" in message
    assert "; text, as '-' (row 1502) is no number, but 1,500 other cells are" in message


def test_missing_words_and_decimal_commas_reach_the_dataset(folder: MakeFolder) -> None:
    path = folder("x", ["", "", ""])
    (path / "labels.csv").write_text("file;x\n0.png;1,5\n1.png;NA\n2.png;2\n")
    dataset = ImageDataset(path)
    assert (only(dataset).range, targets(dataset)) == ((1.5, 2), [[1.5], [0], [2]])
    assert dataset.batch(np.arange(3)).known.tolist() == [[True], [False], [True]]
    again = ImageDataset(path, attributes=dataset.attributes)
    assert targets(again) == targets(dataset)
    assert only(ImageDataset(path, ["x=nominal"])).labels == ("1,5", "2", "NA")
