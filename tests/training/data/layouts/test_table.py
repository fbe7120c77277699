"""Tables beside images, as Hugging Face has them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import only, picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading


def write_images(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        picture(i).save(folder / f"{i}.png")


def test_metadata_csv_may_have_file_name_anywhere_and_any_words_as_columns(tmp_path: Path) -> None:
    write_images(tmp_path, 3)
    (tmp_path / "metadata.csv").write_text("hair colour,file_name\nred,0.png\n,1.png\nblue,2.png\n")
    dataset = ImageDataset(tmp_path)
    assert (only(dataset).name, only(dataset).labels) == ("hair_colour", ("blue", "red"))
    assert dataset.labelled.ravel().tolist() == [True, False, True]


def test_metadata_jsonl_is_read_with_its_types(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_images(tmp_path, 3)
    rows = [
        {"file_name": "0.png", "kind": "orc", "level": 3, "armed": True, "boxes": [1, 2]},
        {"file_name": "1.png", "kind": None, "level": 1.0, "armed": False},
        {"file_name": "2.png", "kind": "elf", "level": 2},
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    dataset = ImageDataset(tmp_path)
    assert [(each.name, each.kind) for each in dataset.attributes] == [
        ("kind", "nominal"),
        ("level", "ordinal"),
        ("armed", "nominal"),
    ]
    assert dataset.labelled.tolist() == [[True, True, True], [False, True, True], [True, True, False]]
    assert "left out, as they hold lists: boxes" in capsys.readouterr().err


def test_a_table_for_each_part_of_the_data(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        write_images(tmp_path / part, count)
        lines = ["file_name,kind", *(f"{i}.png,{part}{i % 2}" for i in range(count))]
        (tmp_path / part / "metadata.csv").write_text("\n".join(lines))
    dataset = ImageDataset(tmp_path)
    assert len(dataset) == 5
    assert only(dataset).labels == ("test0", "test1", "train0", "train1")


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("metadata.csv", "file,kind\n0.png,a\n", "row 1: needs a column 'file_name', has file, kind"),
        ("metadata.jsonl", '{"file_name": "0.png", "x": 1}\n[1]\n', "row 2: is list; accepts an object on each line"),
        ("metadata.jsonl", '{"file_name": "0.png", "x": 1}\n\n{"x\n', "row 3: is no JSON"),
        ("metadata.jsonl", '{"file_name": "9.png", "x": 1}\n', "row 1: there is no image '9.png'"),
        ("metadata.jsonl", "\n", "is empty"),
    ],
)
def test_wrong_metadata_is_refused_with_file_and_row(tmp_path: Path, name: str, text: str, hint: str) -> None:
    write_images(tmp_path, 1)
    (tmp_path / name).write_text(text)
    message = refusal(tmp_path)
    assert message.startswith(str(tmp_path / name))
    assert hint in message


def test_bad_rows_are_left_out_and_listed_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write_images(tmp_path, 3)
    (tmp_path / "1.png").write_bytes(b"no image")
    (tmp_path / "labels.csv").write_text("file,x\n0.png,a\n1.png,b\n9.png,c\n2.png,d,e\n2.png,f\n")
    dataset = ImageDataset(tmp_path, reading=Reading(skip_bad=True))
    assert len(dataset) == 2
    said = capsys.readouterr().err
    assert "3 left out, as --skip-bad says:" in said
    for row in (3, 4, 5):
        assert f"labels.csv, row {row}: " in said
    assert np.array_equal(dataset.batch(np.array([1])).images[0, :, :, 0], np.asarray(picture(2)))


def test_a_column_of_names_is_no_attribute_unless_people_say_so(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_images(tmp_path, 20)
    lines = ["file,kind,title", *(f"{i}.png,{'ab'[i % 2]},no. {i}" for i in range(20))]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    assert only(ImageDataset(tmp_path)).name == "kind"
    assert "title: left out, as its texts are different in all rows; --attribute title=nominal keeps it" in (
        capsys.readouterr().err
    )
    assert [each.name for each in ImageDataset(tmp_path, ["title=nominal"]).attributes] == ["kind", "title"]
    assert only(ImageDataset(tmp_path, ["title=nominal"], reading=Reading(ignore=("kind",)))).name == "title"
    assert "--ignore kin: " in refusal(tmp_path, reading=Reading(ignore=("kin",)))


def test_real_tiles_of_mixed_modes_are_read_from_their_archive(sprite_art: Path, tmp_path: Path) -> None:
    archive = sprite_art / "crawl_classes_32x32.zip"
    dataset = ImageDataset(archive)
    assert (len(dataset), dataset.image_shape, only(dataset).name, only(dataset).size) == (
        1804,
        (32, 32, 4),
        "class",
        17,
    )
    shutil.unpack_archive(archive, tmp_path)
    assert ImageDataset(tmp_path).content == dataset.content
