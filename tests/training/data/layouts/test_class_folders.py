"""A folder for each class."""

from pathlib import Path

import pytest

from tests.training.data.folders import only, picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading


def write(root: Path, *names: str) -> None:
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(root / name)


def test_each_folder_is_a_class(tmp_path: Path) -> None:
    write(tmp_path, "orc/1.png", "elf/1.png", "orc/2.png", "12/x.png")
    (tmp_path / ".DS_Store").write_bytes(b"strewn")
    (tmp_path / "orc" / "Thumbs.db").write_bytes(b"strewn")
    dataset = ImageDataset(tmp_path)
    assert (only(dataset).name, only(dataset).kind, only(dataset).labels) == ("class", "nominal", ("12", "elf", "orc"))
    assert len(dataset) == 4


def test_nested_folders_are_named_by_levels(tmp_path: Path) -> None:
    write(tmp_path, "animal/cat/1.png", "animal/dog/1.png", "plant/tree/1.png")
    assert "'animal/cat/1.png' lies in 2 folders, not in 1 (class); images by" in refusal(tmp_path)
    dataset = ImageDataset(tmp_path, reading=Reading(levels=("kingdom", "kind")))
    assert [each.name for each in dataset.attributes] == ["kingdom", "kind"]
    message = refusal(tmp_path, reading=Reading(levels=("a", "a")))
    assert "--levels: 'a/a': each level needs a name of its own" in message


def test_an_image_at_another_depth_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "orc/1.png", "orc/young/1.png", "elf/1.png")
    assert "3 folders" not in refusal(tmp_path)
    assert "images by the number of folders that they lie in: 2 in 1, 1 in 2" in refusal(tmp_path)
    assert len(ImageDataset(tmp_path, reading=Reading(skip_bad=True))) == 2


def test_train_and_test_are_no_classes(tmp_path: Path) -> None:
    write(tmp_path, "train/orc/1.png", "train/elf/1.png", "Test/orc/1.png")
    assert only(ImageDataset(tmp_path)).labels == ("elf", "orc")


def test_real_folders_of_classes(sprite_art: Path) -> None:
    dataset = ImageDataset(sprite_art / "crawl_classes_32x32.zip", reading=Reading(layout="folders"))
    assert (len(dataset), only(dataset).size) == (1804, 17)


@pytest.mark.parametrize("layout", ["folder", "x"])
def test_an_unknown_layout_lists_those_that_there_are(tmp_path: Path, layout: str) -> None:
    write(tmp_path, "orc/1.png")
    assert "webdataset, folders" in refusal(tmp_path, reading=Reading(layout=layout))


def test_a_layout_that_is_insisted_on_says_what_it_needs(tmp_path: Path) -> None:
    write(tmp_path, "orc/1.png")
    assert "--layout tiled needs tile sets of Tiled (TSX)" in refusal(tmp_path, reading=Reading(layout="tiled"))
