"""Parquet with images, as Hugging Face's datasets write it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

pa = pytest.importorskip("pyarrow", reason="needs spritevae[parquet]")
pq = pytest.importorskip("pyarrow.parquet", reason="needs spritevae[parquet]")

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(seed: int) -> bytes:
    file = io.BytesIO()
    picture(seed).save(file, "png")
    return file.getvalue()


def write(path: Path, images: list[Any], image_type: pa.DataType = IMAGE, groups: int = 2, **columns: Any) -> Path:
    table = pa.table({"image": pa.array(images, image_type), **columns})
    pq.write_table(table, path, row_group_size=groups)
    return path


def test_bytes_and_paths_are_read_over_all_row_groups(tmp_path: Path) -> None:
    for i in range(5):
        picture(i).save(tmp_path / f"{i}.png")
    mixed = [{"bytes": png(i), "path": None} if i % 2 else {"bytes": None, "path": f"{i}.png"} for i in range(5)]
    path = write(tmp_path / "a.parquet", mixed, hair=["red", None, "blue", "red", "red"], level=[1, 2, 3, None, 1])
    dataset = ImageDataset(path)
    assert np.array_equal(dataset.batch(np.arange(5)).images[..., 0], [np.asarray(picture(i)) for i in range(5)])
    assert dataset.labelled.tolist() == [[True, True], [False, True], [True, True], [True, False], [True, True]]


def test_plain_bytes_are_read_too_and_lists_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write(tmp_path / "a.parquet", [png(0), png(1)], pa.binary(), kind=["a", "b"], boxes=[[1], [2, 3]])
    assert [each.name for each in ImageDataset(path).attributes] == ["kind"]
    assert "left out, as they hold lists: boxes" in capsys.readouterr().err


def test_class_labels_have_the_names_that_hugging_face_notes(tmp_path: Path) -> None:
    images = pa.array([{"bytes": png(i), "path": None} for i in range(3)], IMAGE)
    table = pa.table({"image": images, "label": [1, 0, -1]})
    features = {"image": {"_type": "Image"}, "label": {"names": ["orc", "elf"], "_type": "ClassLabel"}}
    noted = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(noted), tmp_path / "a.parquet")
    dataset = ImageDataset(tmp_path / "a.parquet")
    assert dataset.attributes["label"].labels == ("elf", "orc")
    assert dataset.labelled.ravel().tolist() == [True, True, False]


def test_several_files_of_a_folder_are_one_data_set(tmp_path: Path) -> None:
    for part, kinds in (("train-00000-of-00001", ["a", "b"]), ("test-00000-of-00001", ["a", "c"])):
        write(tmp_path / f"{part}.parquet", [{"bytes": png(i), "path": None} for i in range(2)], kind=kinds)
    assert ImageDataset(tmp_path).attributes["kind"].labels == ("a", "b", "c")


def test_a_row_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    images = [{"bytes": png(0), "path": None}, None, {"bytes": b"no", "path": None}, {"bytes": None, "path": "no.png"}]
    path = write(tmp_path / "a.parquet", [*images, {"bytes": png(4), "path": None}], kind=["a", "b", "a", "b", "b"])
    assert "a.parquet, row 1: 'image'" in refusal(path) or "row 1: has neither" in refusal(path)
    dataset = ImageDataset(path, reading=Reading(skip_bad=True))
    assert np.array_equal(dataset.batch(np.arange(2)).images[..., 0], [np.asarray(picture(i)) for i in (0, 4)])


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"no parquet")
    assert "a.parquet: can't be read as Parquet" in refusal(path)
    pq.write_table(pa.table({"kind": ["a"]}), path)
    message = refusal(path)
    assert "has 0 columns of images, needs one (binary, or a struct of bytes and path); has kind (string)" in message
