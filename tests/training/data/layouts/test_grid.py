"""Sheets of tiles."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import only, picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

TILES = [picture(i, size=(12, 10)) for i in range(6)]


def sheet(folder: Path, table: str, margin: int = 0, spacing: int = 0) -> Path:
    """Two rows of three tiles of 12 x 10 pixels, with a table beside."""
    whole = Image.new("L", (3 * (12 + spacing) - spacing + 2 * margin, 2 * (10 + spacing) - spacing + 2 * margin))
    for i, tile in enumerate(TILES):
        whole.paste(tile, (margin + (i % 3) * (12 + spacing), margin + (i // 3) * (10 + spacing)))
    whole.save(folder / "art.png")
    (folder / "art.csv").write_text(table)
    return folder / "art.png"


BY_TILE = "tile,kind\n5,a\n0,b\n1,a\n"
BY_ROW = "row,col,kind,x\n1,2,a,24\n0,0,b,0\n0,1,a,12\n"


@pytest.mark.parametrize("table", [BY_TILE, BY_ROW])
@pytest.mark.parametrize(("margin", "spacing"), [(0, 0), (3, 0), (0, 2), (5, 1)])
def test_tiles_are_cut_where_they_lie(tmp_path: Path, table: str, margin: int, spacing: int) -> None:
    path = sheet(tmp_path, table, margin, spacing)
    reading = Reading(tile=(12, 10), margin=margin, spacing=spacing)
    for spec in (path, tmp_path):
        dataset = ImageDataset(spec, reading=reading)
        assert only(dataset).labels == ("a", "b")
        expected = [np.asarray(TILES[i]) for i in (5, 0, 1)]
        assert np.array_equal(dataset.batch(np.arange(3)).images[..., 0], expected)


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("tile,kind\n0,a\n6,b\n", "row 3: the tile in row 2, column 0 lies outside 'art.png', which has rows 0 to 1"),
        ("row,col,kind\n0,3,a\n", "row 2: the tile in row 0, column 3 lies outside 'art.png'"),
        ("tile,kind\n-1,a\n", "row 2: tile is '-1', not a whole number from 0"),
        ("row,col,kind\n0,x,a\n", "row 2: col is 'x', not a whole number from 0"),
        ("row,kind\n0,a\n", "needs a column 'tile' with numbers from 0, or columns 'row' and 'col'; has row, kind"),
    ],
)
def test_a_tile_that_is_not_there_is_a_fault(tmp_path: Path, table: str, hint: str) -> None:
    assert hint in refusal(sheet(tmp_path, table), reading=Reading(tile=(12, 10)))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    path = sheet(tmp_path, BY_TILE)
    assert "--tile" in refusal(path)
    assert "has no room for a tile of 64 x 64" in refusal(path, reading=Reading(tile=(64, 64)))
    (tmp_path / "art.csv").unlink()
    assert "there is no table of its tiles beside it: art.csv" in refusal(path, reading=Reading(tile=(12, 10)))


def test_real_characters_from_one_sheet(sprite_art: Path) -> None:
    dataset = ImageDataset(sprite_art / "crawl_dolls_sheet_8000.png", reading=Reading(tile=(32, 32)))
    assert (len(dataset), dataset.image_shape, len(dataset.attributes)) == (8000, (32, 32, 4), 8)
    whole = np.asarray(Image.open(sprite_art / "crawl_dolls_sheet_8000.png").convert("RGBA"))
    tile = whole[64:96, 96:128].copy()  # row 2, column 3
    tile[tile[..., 3] == 0] = 0
    assert np.array_equal(dataset.batch(np.array([203])).images[0], tile)


def test_a_real_sheet_with_spacing(sheets: Path, tmp_path: Path) -> None:
    (tmp_path / "s.png").write_bytes((sheets / "excalibur_spacing" / "SpriteSheetSpacing.png").read_bytes())
    with Image.open(tmp_path / "s.png") as image:
        width, height = image.size
    (tmp_path / "s.csv").write_text("tile,kind\n0,a\n1,b\n")
    reading = Reading(tile=(32, 32), spacing=10, margin=0)
    assert width >= 32 + 10 + 32
    assert height >= 32
    assert ImageDataset(tmp_path / "s.png", reading=reading).image_shape[:2] == (32, 32)
