"""Tile sets of Tiled. Their form is that of https://doc.mapeditor.org/en/stable/reference/tmx-map-format/."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

TILES = """
 <tile id="0" class="grass"><properties><property name="walk speed" type="float" value="0.5"/></properties></tile>
 <tile id="5" type="water"><properties><property name="walk speed" type="float" value="2"/></properties></tile>
 <tile id="2"><properties><property name="walk speed" type="float" value="1"/></properties></tile>
"""


def tile_set(folder: Path, tiles: str = TILES) -> Path:
    whole = Image.new("L", (2 + 3 * 9 - 1, 2 + 2 * 9 - 1))
    for i in range(6):
        whole.paste(picture(i, size=(8, 8)), (1 + (i % 3) * 9, 1 + (i // 3) * 9))
    whole.save(folder / "ground.png")
    path = folder / "ground.tsx"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<tileset version="1.10" name="ground" tilewidth="8" tileheight="8" '
        f'spacing="1" margin="1" tilecount="6" columns="3"><image source="ground.png"/>{tiles}</tileset>'
    )
    return path


def test_classes_and_properties_become_attributes(tmp_path: Path) -> None:
    dataset = ImageDataset(tile_set(tmp_path))
    assert [(each.name, each.kind) for each in dataset.attributes] == [
        ("class", "nominal"),
        ("walk_speed", "continuous"),
    ]
    assert dataset.labelled.tolist() == [[True, True], [True, True], [False, True]]
    expected = [np.asarray(picture(i, size=(8, 8))) for i in (0, 5, 2)]
    assert np.array_equal(dataset.batch(np.arange(3)).images[..., 0], expected)


def test_a_collection_of_images_has_an_image_for_each_tile(tmp_path: Path) -> None:
    for i in range(2):
        picture(i).save(tmp_path / f"{i}.png")
    tiles = "".join(f'<tile id="{i}" class="{"ab"[i]}"><image source="{i}.png"/></tile>' for i in range(2))
    (tmp_path / "all.tsx").write_text(f'<tileset name="all" tilewidth="32" tileheight="28">{tiles}</tileset>')
    assert ImageDataset(tmp_path / "all.tsx").attributes["class"].labels == ("a", "b")


@pytest.mark.parametrize(
    ("tiles", "hint"),
    [
        ('<tile id="6" class="a"/>', "ground.tsx, tile 6: lies outside the sheet, which has tiles 0 to 5"),
        ('<tile id="x" class="a"/>', "tile x: lies outside the sheet"),
        ('<tile id="1" class="a"><image source="no.png"/></tile>', "there is no image 'no.png'"),
    ],
)
def test_a_tile_that_is_not_there_is_a_fault(tmp_path: Path, tiles: str, hint: str) -> None:
    path = tile_set(tmp_path, TILES + tiles)
    assert hint in refusal(path)
    assert len(ImageDataset(path, reading=Reading(skip_bad=True))) == 3


def test_a_set_without_classes_is_refused(tmp_path: Path) -> None:
    assert "holds no picture" in refusal(tile_set(tmp_path, ""))
