"""Atlases that JSON describes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

FRAMES = {
    "up.png": {"frame": {"x": 0, "y": 0, "w": 12, "h": 10}},
    "down.png": {"frame": {"x": 12, "y": 0, "w": 12, "h": 10}},
    "left.png": {"frame": {"x": 0, "y": 10, "w": 10, "h": 12}, "rotated": True},
}


def atlas(folder: Path, content: dict[str, Any]) -> Path:
    """A sheet of 24 x 20 RGBA pixels, described by ``content``."""
    picture(0, "RGBA", (24, 20)).save(folder / "art.png")
    (folder / "art.json").write_text(json.dumps(content))
    return folder / "art.json"


def pixels(dataset: ImageDataset, row: int) -> np.ndarray:
    return dataset.batch(np.array([row])).images[0]


def shown(image: Image.Image) -> np.ndarray:
    array = np.asarray(image).copy()
    array[array[..., 3] == 0] = 0
    return array


def test_array_and_hash_are_the_same(tmp_path: Path) -> None:
    frames = {name: each for name, each in FRAMES.items() if name != "left.png"}
    path = atlas(tmp_path, {"frames": frames, "meta": {"image": "art.png"}})
    by_name = ImageDataset(path, reading=Reading(pattern="{direction}.png"))
    path.write_text(json.dumps({"frames": [{"filename": name, **each} for name, each in frames.items()]}))
    in_order = ImageDataset(path, reading=Reading(pattern="{direction}.png"))
    assert by_name.content == in_order.content
    assert by_name.attributes["direction"].labels == ("down", "up")
    whole = picture(0, "RGBA", (24, 20))
    assert np.array_equal(pixels(by_name, 1), shown(whole.crop((12, 0, 24, 10))))


def test_a_rotated_frame_is_turned_back(tmp_path: Path) -> None:
    """TexturePacker turns clockwise, and gives width and height as they were before."""
    path = atlas(
        tmp_path, {"frames": {"left.png": FRAMES["left.png"], "a.png": {"frame": {"x": 0, "y": 0, "w": 10, "h": 12}}}}
    )
    dataset = ImageDataset(path, reading=Reading(pattern="{kind}.png"))
    lying = picture(0, "RGBA", (24, 20)).crop((0, 10, 12, 20))
    assert np.array_equal(pixels(dataset, 0), np.rot90(shown(lying)))


def test_a_trimmed_frame_gets_its_border_back(tmp_path: Path) -> None:
    frame = {
        "frame": {"x": 3, "y": 4, "w": 5, "h": 6},
        "trimmed": True,
        "spriteSourceSize": {"x": 2, "y": 1, "w": 5, "h": 6},
        "sourceSize": {"w": 16, "h": 9},
    }
    path = atlas(tmp_path, {"frames": {"a.png": frame, "b.png": {**frame, "trimmed": True}}})
    whole = pixels(ImageDataset(path, reading=Reading(pattern="{kind}.png")), 0)
    assert whole.shape == (9, 16, 4)
    assert np.array_equal(whole[1:7, 2:7], shown(picture(0, "RGBA", (24, 20)).crop((3, 4, 8, 10))))
    assert whole.sum() == whole[1:7, 2:7].sum()


def test_tags_durations_and_animations_become_attributes(tmp_path: Path) -> None:
    box = {"x": 0, "y": 0, "w": 8, "h": 8}
    frames = [{"filename": f"{i}", "frame": {**box, "x": i}, "duration": 100 + 50 * (i % 2)} for i in range(5)]
    tags = [{"name": "all", "from": 0, "to": 4}, {"name": "walk", "from": 2, "to": 3}]
    path = atlas(tmp_path, {"frames": frames, "meta": {"frameTags": tags}})
    dataset = ImageDataset(path)
    assert [each.name for each in dataset.attributes] == ["tag", "frame", "duration"]
    tag = dataset.attributes.columns("tag")
    assert dataset.batch(np.arange(5)).targets[:, tag].argmax(axis=1).tolist() == [0, 0, 1, 1, 0]
    named = {str(i): {"frame": {**box, "x": i}} for i in range(4)}
    animations = {"run": ["1", "2"], "stand": ["0", "3"]}
    path.write_text(json.dumps({"frames": named, "animations": animations}))
    animated = ImageDataset(path)
    assert animated.attributes["animation"].labels == ("run", "stand")
    assert animated.attributes["frame"].size == 2


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (
            {"frames": {"a": {"frame": {"x": 20, "y": 0, "w": 8, "h": 8}}}},
            "frame 'a': 'a' lies at x 20 to 28",
        ),
        ({"frames": {"a": {"frame": {"x": 0, "y": 0, "w": 8.5, "h": 8}}}}, "w is 8.5, not a whole number of pixels"),
        ({"frames": {"a": {"frame": None}}}, "frame 'a': has no 'frame' with x, y, w and h"),
        ({"frames": [7]}, "frame 0: is int, not an object"),
        ({"frames": {}, "meta": {"image": "no.png"}}, "holds no picture"),
        ({"x": 1}, "holds no 'frames' as Aseprite and TexturePacker write them"),
        (
            {"frames": [{"filename": "a", **FRAMES["up.png"]}, {"filename": "a", **FRAMES["up.png"]}]},
            "has two frames 'a'",
        ),
    ],
    ids=["outside", "half a pixel", "no frame", "a number", "none", "no atlas", "twice"],
)
def test_a_wrong_description_is_refused_with_its_frame(tmp_path: Path, content: dict[str, Any], hint: str) -> None:
    message = refusal(atlas(tmp_path, content), reading=Reading(pattern="{kind}"))
    assert message.startswith(str(tmp_path / "art.json"))
    assert hint in message


def test_a_missing_sheet_and_text_that_is_no_json_are_refused(tmp_path: Path) -> None:
    path = atlas(tmp_path, {"frames": FRAMES, "meta": {"image": "no.png"}})
    (tmp_path / "art.png").unlink()
    assert "its sheet 'no.png' is not there, and there is no picture 'art' beside it" in refusal(path)
    path.write_text("{")
    assert "art.json: can't be read as JSON" in refusal(path)


def test_real_atlases_are_read(sheets: Path) -> None:
    pack = ImageDataset(sheets / "texturepacker_multipack" / "multi-pack-0.json", reading=Reading(fit="pad"))
    assert (len(pack), pack.image_shape) == (5, (229, 190, 4))  # with the frame of the related pack
    assert pack.attributes["animation"].labels == ("star",)
    hashed = ImageDataset(sheets / "texturepacker_hash", reading=Reading(pattern="{kind}", fit="pad"))
    assert hashed.attributes["kind"].labels == ("bunny", "pic-sensei")
    trimmed = ImageDataset(sheets / "aseprite_array_trimmed", reading=Reading(pattern="{who}"))
    sheet = np.asarray(Image.open(sheets / "aseprite_array_trimmed" / "kayahr.png").convert("RGBA")).copy()
    sheet[sheet[..., 3] == 0] = 0
    assert np.array_equal(pixels(trimmed, 0)[1:31, 6:26], sheet[:30, :20])


def test_a_plain_list_of_sprites_is_read_as_the_xml_beside_it(sheets: Path) -> None:
    folder = sheets / "kenney_space_shooter"
    reading = Reading(pattern="{name}", fit="pad", layout="atlas")
    plain = ImageDataset(folder / "sheet.json", ["name=nominal"], reading=reading)
    starling = ImageDataset(
        folder / "sheet.xml", ["name=nominal"], reading=Reading(pattern="{name}", fit="pad", layout="starling")
    )
    assert len(plain) == 294
    assert plain.content == starling.content
