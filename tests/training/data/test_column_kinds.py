"""What columns become, what overrides change, and attributes of an earlier run."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from attributes import Attribute, Attributes
from tests.training.data.folders import MakeFolder, only, refusal, targets
from training.data.column_kinds import Override, parse_attribute
from training.data.dataset import DataError
from training.data.image_dataset import ImageDataset


def test_text_is_nominal_with_sorted_labels_and_the_most_frequent_as_default(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("kind", ["orc", "elf", "orc", "1"]))
    assert only(dataset) == Attribute(name="kind", kind="nominal", size=3, labels=("1", "elf", "orc"), default="orc")
    assert targets(dataset) == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_whole_numbers_are_ordinal_from_the_least_to_the_greatest(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("level", ["7", "4", "5.0", "5"]))
    assert only(dataset) == Attribute(name="level", kind="ordinal", size=4, range=(4, 7), default=1)
    assert targets(dataset) == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]


def test_decimals_are_continuous_with_measured_range_and_median(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("weight", ["-1.5", "4", "2.25", "3"]))
    assert only(dataset) == Attribute(name="weight", kind="continuous", range=(-1.5, 4), default=2.625)
    assert targets(dataset) == [[-1.5], [4], [2.25], [3]]


def test_an_underscore_makes_a_label_not_a_number(folder: MakeFolder) -> None:
    assert only(ImageDataset(folder("tile", ["1_2", "1_3"]))).labels == ("1_2", "1_3")


def test_an_empty_cell_is_unlabelled_and_counts_for_nothing(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("kind,weight", ["orc,", ",2.5", ",0.5", "  ,1.5"]))
    batch = dataset.batch(np.arange(4))
    assert batch.known.tolist() == [[True, False], [False, True], [False, True], [False, True]]
    assert batch.targets.tolist() == [[1, 0], [0, 2.5], [0, 0.5], [0, 1.5]]
    assert [attribute.default for attribute in dataset.attributes] == ["orc", 1.5]


def test_256_classes_are_inferred_and_257_need_an_override(folder: MakeFolder) -> None:
    assert only(ImageDataset(folder("id", ["1", "256"]))).size == 256
    path = folder("id", ["0", "256"])
    assert "257 classes" in refusal(path)
    assert "--attribute id=ordinal:SIZE" in refusal(path)
    assert only(ImageDataset(path, ["id=ordinal:257"])).size == 257
    assert only(ImageDataset(path, ["id=continuous"])).range == (0, 256)


@pytest.mark.parametrize(("cells", "hint"), [(["3", "3"], "one value only"), (["", ""], "column 'x' is empty; label")])
def test_a_column_that_tells_nothing_is_refused(folder: MakeFolder, cells: list[str], hint: str) -> None:
    assert hint in refusal(folder("x", cells))


def test_images_of_which_nothing_is_known_may_all_be_the_same_word(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    (path / "labels.csv").write_text("file\n0.png\n1.png\n")
    assert "add one with the same word in every row" in refusal(path)
    assert only(ImageDataset(folder("kind", ["sprite", "sprite"]))).labels == ("sprite",)


# overrides


def test_a_circular_override_wraps_and_blends(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("hue", ["0", "35.5", "36", "-1"]), ["hue=circular:36:period=36"])
    expected = np.zeros((4, 36))
    expected[0, 0] = expected[2, 0] = expected[3, 35] = 1
    expected[1, [35, 0]] = 0.5
    assert targets(dataset) == expected.tolist()
    assert only(dataset).default == 0


def test_a_period_is_the_size_unless_given(folder: MakeFolder) -> None:
    path = folder("hue", ["0", "4"])
    assert only(ImageDataset(path, ["hue=circular:4"])).period == 4
    assert only(ImageDataset(path, ["hue=circular:5:period=4"])).period == 4


def test_cells_of_an_override_with_a_range_are_in_units(folder: MakeFolder) -> None:
    override = "size=ordinal:6:range=0.5..1.0:unit=metres:default=0.9"
    dataset = ImageDataset(folder("size", ["0.7", "0.55", "1", "0.5"]), [override])
    assert only(dataset) == Attribute(name="size", kind="ordinal", size=6, range=(0.5, 1), unit="metres", default=4)
    expected = [[0, 0, 1, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0]]
    assert targets(dataset) == expected


def test_degrees_work_with_the_range_of_first_and_last_class(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("hue", ["0", "355", "360", "90"]), ["hue=circular:36:range=0..350:unit=degrees"])
    assert np.array(targets(dataset))[[0, 1, 1, 2, 3], [0, 0, 35, 0, 9]].tolist() == [1, 0.5, 0.5, 1, 1]


def test_an_ordinal_override_without_size_takes_whole_numbers_and_fractions_between(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("level", ["1", "2.5", "3"]), ["level=ordinal"])
    assert targets(dataset) == [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 1]]
    assert "give its classes" in refusal(folder("level", ["1", "2.5"]), "level=ordinal")


def test_a_nominal_override_reads_numbers_as_labels(folder: MakeFolder) -> None:
    path = folder("digit", ["3", "1", "3"])
    assert only(ImageDataset(path, ["digit=nominal"])).labels == ("1", "3")
    dataset = ImageDataset(path, ["digit=nominal:labels=3|2|1:default=2"])
    assert only(dataset) == Attribute(name="digit", kind="nominal", size=3, labels=("3", "2", "1"), default="2")
    assert targets(dataset) == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_overrides_leave_other_columns_alone(folder: MakeFolder) -> None:
    dataset = ImageDataset(folder("a,b", ["0,0", "1,1"]), ["b=continuous:range=-1..3"])
    assert [(attribute.kind, attribute.range) for attribute in dataset.attributes] == [
        ("ordinal", (0, 1)),
        ("continuous", (-1, 3)),
    ]


def test_parse_attribute_reads_every_option() -> None:
    assert parse_attribute("hue=circular:40:period=39:range=0..6.28:unit=radians:default=-1") == Override(
        name="hue", kind="circular", size=40, period=39, range=(0, 6.28), unit="radians", default="-1"
    )
    assert parse_attribute("t=continuous:range=-1.5..-.5").range == (-1.5, -0.5)
    assert parse_attribute("kind=nominal:labels=a|b c| d").labels == ("a", "b c", "d")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("hue", "needs a name and one of the kinds nominal, ordinal, circular, continuous"),
        ("=ordinal", "needs a name"),
        ("hue=cyclic:3", "one of the kinds"),
        ("hue=circular", "needs its SIZE"),
        ("hue=circular:many", "whole numbers"),
        ("hue=circular:36:period=1.5", "whole numbers"),
        ("hue=ordinal:3:range=1-2", "LO..HI"),
        ("hue=ordinal:3:range=1..two", "LO..HI"),
        ("hue=ordinal:3:period=3", "takes range, unit, default, not 'period'"),
        ("hue=ordinal:3:4", "not '4'"),
        ("hue=nominal:range=0..1", "takes labels, default"),
        ("hue=nominal:labels=a||b", "label can't be empty"),
        ("hue=ordinal:3:unit=", "unit needs one value"),
        ("hue=ordinal:3:unit=m:unit=m", "unit needs one value"),
    ],
)
def test_parse_attribute_says_what_is_wrong_and_shows_the_form(text: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_attribute(text)
    assert hint in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "NAME=KIND[:SIZE]" in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        (["y=ordinal"], "no column 'y' to override, only x"),
        (["x=ordinal", "x=continuous"], "'x' is overridden twice"),
        (["x=ordinal:2"], "row 3: x is 2, outside 0 to 1"),
        (["x=ordinal:3:default=5"], "the default of attribute 'x': x is '5'"),
        (["x=nominal:labels=0|1"], "row 3: x is '2', not one of 0, 1"),
        (["x=nominal:4"], "needs 4 different labels"),
        (["x=circular:3:period=4"], "whole period from 3 to its size 3"),
        (["x=continuous:range=2..0"], "the lower first"),
        (["x=continuous:3"], "size 3"),
        (["x=ordinal:2000"], "size 2000"),
    ],
)
def test_overrides_that_do_not_fit_are_refused(folder: MakeFolder, overrides: list[str], hint: str) -> None:
    message = refusal(folder("x", ["0", "2"]), *overrides)
    assert hint.replace("'5'", "5") in message


# the saved vocabulary


def test_saved_attributes_stay_as_they_were_when_rows_are_added(folder: MakeFolder) -> None:
    before = ImageDataset(folder("kind,level", ["orc,2", "elf,3", "elf,4"]))
    saved = json.loads(json.dumps([asdict(attribute) for attribute in before.attributes]))
    attributes = Attributes(
        [Attribute(**(each | {"labels": tuple(each["labels"]), "range": tuple(each["range"])})) for each in saved]
    )
    after = ImageDataset(folder("level,new,kind", ["2,x,orc", "3,y,elf", "4,,elf", "3,,orc"]), attributes=attributes)
    assert after.attributes == before.attributes
    assert targets(after)[:3] == targets(before)
    assert targets(after)[3] == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("row", "hint"),
    [("ant,3", "row 5: kind is 'ant', not one of elf, orc"), ("elf,5", "row 5: level is 5, outside 2 to 4")],
)
def test_a_cell_outside_saved_attributes_is_refused(folder: MakeFolder, row: str, hint: str) -> None:
    rows = ["orc,2", "elf,3", "elf,4"]
    attributes = ImageDataset(folder("kind,level", rows)).attributes
    path = folder("kind,level", [*rows, row])
    assert f"{path / 'labels.csv'}, {hint}" in refusal(path, attributes=attributes)


def test_saved_attributes_need_their_columns_and_take_no_overrides(folder: MakeFolder) -> None:
    attributes = ImageDataset(folder("kind", ["orc", "elf"])).attributes
    assert "overrides can't change them" in refusal(folder("kind", ["orc"]), "kind=nominal", attributes=attributes)
    assert "no column 'kind', only level" in refusal(folder("level", ["1", "2"]), attributes=attributes)
    assert "column 'kind' is empty" in refusal(folder("kind", ["", ""]), attributes=attributes)
