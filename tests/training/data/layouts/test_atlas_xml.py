"""Atlases of Starling."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

NAMED = Reading(pattern="{kind}")


def atlas(folder: Path, textures: str, root: str = '<TextureAtlas imagePath="art.png">') -> Path:
    picture(0, "RGBA", (24, 20)).save(folder / "art.png")
    (folder / "art.xml").write_text(f"{root}{textures}</TextureAtlas>")
    return folder / "art.xml"


def test_frames_are_cut_and_get_their_borders_back(tmp_path: Path) -> None:
    """Starling's frame offsets are negative; a rotated texture has the width and height that it has in the sheet."""
    path = atlas(
        tmp_path,
        '<SubTexture name="a" x="1" y="2" width="5" height="4" frameX="-3" frameY="-1" frameWidth="9" frameHeight="8"/>'
        '<SubTexture name="b" x="8" y="0" width="8" height="9" rotated="true"/>',
    )
    dataset = ImageDataset(path, reading=NAMED)
    assert dataset.image_shape == (8, 9, 4)
    whole = np.asarray(picture(0, "RGBA", (24, 20))).copy()
    whole[whole[..., 3] == 0] = 0
    first, second = dataset.batch(np.arange(2)).images
    assert np.array_equal(first[1:5, 3:8], whole[2:6, 1:6])
    assert first.sum() == first[1:5, 3:8].sum()
    assert np.array_equal(second, np.rot90(whole[0:9, 8:16]))


@pytest.mark.parametrize(
    ("textures", "hint"),
    [
        ('<SubTexture name="a" x="0" y="0" width="50" height="8"/>', "frame 'a': 'a' lies at x 0 to 50"),
        ('<SubTexture name="a" x="0" y="0" width="8"/>', "frame 'a': height is None, not a whole number"),
        (
            '<SubTexture name="a" x="0" y="0" width="8" height="8" frameX="-3" frameWidth="8" frameHeight="8"/>',
            "'a' of 8 x 8 at 3, 0 does not lie within its whole picture of 8 x 8",
        ),
    ],
)
def test_a_wrong_texture_is_a_fault(tmp_path: Path, textures: str, hint: str) -> None:
    path = atlas(tmp_path, textures + '<SubTexture name="good" x="0" y="0" width="8" height="8"/>')
    assert hint in refusal(path, reading=NAMED)
    assert len(ImageDataset(path, reading=Reading(pattern="{kind}", skip_bad=True))) == 1


def test_other_xml_is_refused(tmp_path: Path) -> None:
    path = atlas(tmp_path, "", root="<Other>")
    assert "art.xml: can't be read as XML" in refusal(path)
    path.write_text("<Other/>")
    assert "begins with <Other>, not with <TextureAtlas>" in refusal(path)


def test_real_sprites_of_kenney(sheets: Path) -> None:
    reading = Reading(pattern="genericItem_color_{number}.png", fit="pad")
    dataset = ImageDataset(sheets / "kenney_generic_items", reading=reading)
    assert (len(dataset), dataset.attributes["number"].size) == (163, 163)
