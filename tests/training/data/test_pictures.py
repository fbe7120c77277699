"""Pictures before they are decoded; layouts/ tries sheets and their regions on real files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import picture
from training.data.dataset import DataError
from training.data.files import Folder
from training.data.pictures import PictureFile, Region, Sheet, channels_of, is_picture


def test_pictures_are_told_by_their_names() -> None:
    assert all(map(is_picture, ("a.png", "b/A.PNG", "c.jpeg", "d.JPG", "e.gif", "f.bmp", "g.webp")))
    assert not any(map(is_picture, ("a.tiff", "png", "a.png.txt", "labels.csv")))


def test_what_tells_a_picture_changes_with_its_file(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    first = PictureFile(Folder(tmp_path), "a.png", "a.png", "x").identity
    picture(1, size=(9, 9)).save(tmp_path / "a.png")
    assert PictureFile(Folder(tmp_path), "a.png", "a.png", "x").identity != first


def test_regions_of_one_sheet_differ_by_all_that_places_them(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    sheet = Sheet(Folder(tmp_path), "a.png")
    regions = [
        Region(sheet, (0, 0, 8, 8), "x", "x"),
        Region(sheet, (1, 0, 9, 8), "x", "x"),
        Region(sheet, (0, 0, 8, 8), "x", "x", rotated=True),
        Region(sheet, (0, 0, 8, 8), "x", "x", size=(9, 9)),
        Region(sheet, (0, 0, 8, 8), "x", "x", offset=(1, 0), size=(9, 9)),
    ]
    assert len({region.identity for region in regions}) == len(regions)


def test_a_sheet_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no png")
    with pytest.raises(DataError, match=r"a.png: the sheet is missing, damaged, or not one of PNG"):
        _ = Sheet(Folder(tmp_path), "a.png").image
    picture(0).save(tmp_path / "a.png", save_all=True, append_images=[picture(1)])
    with pytest.raises(DataError, match="a sheet can't be an animation"):
        _ = Sheet(Folder(tmp_path), "a.png").image
    Image.fromarray(np.full((8, 8), 4096, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="has I;16 pixels"):
        _ = Sheet(Folder(tmp_path), "a.png").image


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("P", 3), ("RGB", 3), ("LA", 4), ("RGBA", 4)])
def test_a_picture_needs_so_many_channels(mode: str, channels: int) -> None:
    assert channels_of(Image.new(mode, (8, 8))) == channels
