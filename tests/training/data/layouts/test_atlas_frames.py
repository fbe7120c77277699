"""What atlases of all kinds have in common: tables and patterns for their frames, and their sheets."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.data.folders import picture, refusal
from training.data.dataset import DataError
from training.data.image_dataset import ImageDataset
from training.data.layouts.atlas_frames import whole

FRAMES = {
    "up.png": {"frame": {"x": 0, "y": 0, "w": 12, "h": 10}},
    "down.png": {"frame": {"x": 12, "y": 0, "w": 12, "h": 10}},
}


def atlas(folder: Path, content: dict[str, Any]) -> Path:
    picture(0, "RGBA", (24, 20)).save(folder / "art.png")
    (folder / "art.json").write_text(json.dumps(content))
    return folder / "art.json"


def test_a_table_beside_names_frames(tmp_path: Path) -> None:
    path = atlas(tmp_path, {"frames": {"a": FRAMES["up.png"], "b": FRAMES["down.png"], "c": FRAMES["up.png"]}})
    (tmp_path / "art.csv").write_text("file,hair\nb,red\na,blue\n")
    dataset = ImageDataset(path)
    assert dataset.attributes["hair"].labels == ("blue", "red")
    assert len(dataset) == 2
    (tmp_path / "art.csv").write_text("file,hair\nb,red\nx,blue\n")
    assert "art.csv, row 3: there is no frame 'x', only 'a', 'b', 'c'" in refusal(path)


def test_frames_without_attributes_ask_for_a_pattern_or_a_table(sheets: Path) -> None:
    message = refusal(sheets / "texturepacker_hash")
    assert "2 frames ('pic-sensei.jpg', 'bunny.png' ...), but nothing tells their attributes" in message
    assert "--pattern, or add a table 'spritesheet.csv'" in message


def test_a_table_needs_a_column_of_names(tmp_path: Path) -> None:
    path = atlas(tmp_path, {"frames": FRAMES})
    (tmp_path / "art.csv").write_text("title,hair\nup.png,red\n")
    assert "art.csv: needs a column 'file' or 'file_name' or 'name' or 'frame', has title, hair" in refusal(path)


def test_a_sheet_may_lie_elsewhere_than_its_description_says(tmp_path: Path) -> None:
    """Programs write the path that the sheet had on their machine."""
    path = atlas(tmp_path, {"frames": FRAMES, "meta": {"image": "C:\\work\\art.png"}})
    (tmp_path / "art.csv").write_text("file,hair\nup.png,red\ndown.png,blue\n")
    assert len(ImageDataset(path)) == 2


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), (3.0, 3), ("-2", -2)])
def test_pixels_are_whole_numbers_in_text_or_not(value: object, number: int) -> None:
    assert whole(value, "x", "art") == number


@pytest.mark.parametrize("value", [None, "", "3px", 2.5, "inf", "nan"])
def test_other_pixels_are_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"art: x is .*, not a whole number of pixels"):
        whole(value, "x", "art")
