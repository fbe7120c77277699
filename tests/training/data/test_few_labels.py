"""Few labels: which rows keep theirs, and what is refused."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.data import open_dataset, partially_labelled
from training.data.dataset import DataError, Dataset


@pytest.fixture(scope="module")
def whole() -> Dataset:
    return open_dataset("dsprites")


def test_an_empty_specification_is_the_dataset_itself(whole: Dataset) -> None:
    assert partially_labelled(whole, "", 0) is whole


def test_the_given_number_of_rows_stays_labelled_and_all_held_out_ones(whole: Dataset) -> None:
    few = partially_labelled(whole, "1000", 3)
    trained = few.labelled[~whole.held_out]
    assert trained.all(axis=1).sum() == trained.any(axis=1).sum() == 1000
    assert few.labelled[whole.held_out].all()
    assert np.array_equal(few.held_out, whole.held_out)


def test_rows_without_label_show_their_image_and_nothing_else(whole: Dataset) -> None:
    few = partially_labelled(whole, "1000", 3)
    rows = np.array([np.flatnonzero(few.labelled[:, 0])[0], np.flatnonzero(~few.labelled[:, 0])[0]])
    batch, original = few.batch(rows), whole.batch(rows)
    assert np.array_equal(batch.images, original.images)
    assert np.array_equal(batch.targets[0], original.targets[0])
    assert batch.known.tolist() == [[True] * 5, [False] * 5]
    assert not batch.targets[1].any()


def test_the_seed_decides_which(whole: Dataset) -> None:
    first, again, other = (partially_labelled(whole, "50", seed) for seed in (0, 0, 1))
    assert np.array_equal(first.labelled, again.labelled)
    assert first.content == again.content
    assert not np.array_equal(first.labelled, other.labelled)
    assert len({whole.content, first.content, other.content}) == 3


def test_the_digest_is_that_of_earlier_versions_whose_runs_go_on(whole: Dataset) -> None:
    few, only = (partially_labelled(whole, spec, 0) for spec in ("50", "only:50"))
    kept = np.flatnonzero(few.labelled[:, 0])
    assert few.content == hashlib.sha256(b"rendered FewLabels" + kept.tobytes()).hexdigest()
    assert only.content == hashlib.sha256(f"{few.content} Subset".encode() + kept.tobytes()).hexdigest()


def test_fewer_labels_are_some_of_the_more(whole: Dataset) -> None:
    few, more = (partially_labelled(whole, count, 0).labelled for count in ("50", "60"))
    assert (more | ~few).all()


def test_whatever_else_is_as_in_the_whole(whole: Dataset) -> None:
    few, positions = partially_labelled(whole, "50", 0), np.array([[2, 4.5, 12.25, 7.5, 31]])
    assert (len(few), few.image_shape, few.ceilings) == (len(whole), whole.image_shape, whole.ceilings)
    assert few.attributes == whole.attributes
    rendered, original = few.render(positions), whole.render(positions)
    assert rendered is not None
    assert original is not None
    assert np.array_equal(rendered, original)


def test_only_fully_labelled_rows_are_drawn(sprites: Path) -> None:
    dataset = open_dataset(str(sprites))
    with (sprites / "labels.csv").open(newline="") as file:
        full = np.array([all(row.values()) for row in csv.DictReader(file)])
    able = full & ~dataset.held_out
    few = partially_labelled(dataset, str(able.sum()), 0)
    assert np.array_equal(few.labelled.any(axis=1) & ~dataset.held_out, able)
    assert np.array_equal(few.labelled[dataset.held_out], dataset.labelled[dataset.held_out])
    with pytest.raises(DataError, match=f"{able.sum() + 1} rows are asked for; the data has {able.sum()} fully"):
        partially_labelled(dataset, str(able.sum() + 1), 0)


def test_a_listed_row_keeps_what_labels_it_has_and_needs_one(tmp_path: Path) -> None:
    for i in range(40):
        Image.new("L", (28, 28), i).save(tmp_path / f"{i}.png")
    rows = [f"{i}.png,{i % 3 if i % 2 else ''},{i % 4 if i % 4 else ''}\n" for i in range(40)]
    (tmp_path / "labels.csv").write_text("file,a,b\n" + "".join(rows))
    dataset = open_dataset(str(tmp_path))
    partly = next(i for i in range(40) if i % 4 == 2 and not dataset.held_out[i])
    never = next(i for i in range(40) if i % 4 == 0 and not dataset.held_out[i])
    (tmp_path / "rows.txt").write_text(f"{partly}\n")
    few = partially_labelled(dataset, str(tmp_path / "rows.txt"), 0)
    assert few.labelled[partly].tolist() == few.batch(np.array([partly])).known[0].tolist() == [False, True]
    (tmp_path / "rows.txt").write_text(f"{partly}\n{never}\n")
    with pytest.raises(DataError, match=f"line 2: row {never} has no label in the data"):
        partially_labelled(dataset, str(tmp_path / "rows.txt"), 0)


def test_only_leaves_out_what_is_not_labelled(whole: Dataset) -> None:
    few, only = partially_labelled(whole, "50", 0), partially_labelled(whole, "only:50", 0)
    assert len(only) == 50 + whole.held_out.sum()
    assert only.labelled.all()
    assert (~only.held_out).sum() == 50
    kept = np.flatnonzero(few.labelled[:, 0])
    assert np.array_equal(only.batch(np.arange(9)).images, whole.batch(kept[:9]).images)
    assert only.render(np.zeros((1, 5))) is not None


def test_a_file_lists_rows(whole: Dataset, tmp_path: Path) -> None:
    rows = np.flatnonzero(~whole.held_out)[[5, 1, 99]]
    (tmp_path / "rows.txt").write_text("\n".join(map(str, rows)) + "\n\n")
    few = partially_labelled(whole, str(tmp_path / "rows.txt"), 0)
    assert np.flatnonzero(few.labelled[:, 0] & ~few.held_out).tolist() == sorted(rows)
    (tmp_path / "marked.txt").write_text("\r\n".join(map(str, rows)), "utf-8-sig")
    np.save(tmp_path / "rows.npy", rows)
    for same in ("marked.txt", "rows.npy"):
        assert partially_labelled(whole, str(tmp_path / same), 0).content == few.content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7\nx", r"rows.txt, line 2: 'x' is not a row"),
        ("737280", r"line 1: '737280' is not a row from 0 to 737279"),
        ("-1", r"line 1: '-1' is not a row"),
        ("{in}\n{in}", r"line 2: row \d+ is listed already \(line 1\)"),
        ("{out}", r"line 1: row \d+ is held out"),
        ("\n", "lists no row"),
    ],
)
def test_wrong_files_are_refused_with_their_line(whole: Dataset, tmp_path: Path, text: str, message: str) -> None:
    out = whole.held_out
    places = {"in": np.flatnonzero(~out)[0], "out": np.flatnonzero(out)[0]}
    (tmp_path / "rows.txt").write_text(text.format(**places))
    with pytest.raises(DataError, match=message):
        partially_labelled(whole, str(tmp_path / "rows.txt"), 0)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([0.5]), r"rows.npy: holds float64 \[1\], not whole numbers \[N\]"),
        (np.ones(737_280, bool), "holds bool"),
        (np.array([[1]]), r"holds int64 \[1, 1\]"),
        (np.array([{}]), "can't be read, or is no .npy of rows"),
        (np.array([-1]), r"rows.npy, entry 0: '-1' is not a row from 0 to 737279"),
        (np.array([737_280], np.uint32), "entry 0: '737280' is not a row"),
        (np.array([], int), "lists no row"),
    ],
)
def test_wrong_arrays_are_refused_with_their_entry(
    whole: Dataset, tmp_path: Path, array: NDArray[Any], message: str
) -> None:
    np.save(tmp_path / "rows.npy", array)
    with pytest.raises(DataError, match=message):
        partially_labelled(whole, str(tmp_path / "rows.npy"), 0)


@pytest.mark.parametrize("spec", ["0", "700000", "only:0"])
def test_more_labels_than_there_are_or_none_are_refused(whole: Dataset, spec: str) -> None:
    with pytest.raises(DataError, match="fully labelled ones to train on"):
        partially_labelled(whole, spec, 0)


def test_neither_number_nor_file_is_refused(whole: Dataset) -> None:
    with pytest.raises(DataError, match="'many' is neither a number of rows nor a text file or"):
        partially_labelled(whole, "many", 0)
    with pytest.raises(DataError, match=r"many\.npy: can't be read"):
        partially_labelled(whole, "many.npy", 0)
