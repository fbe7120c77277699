"""Animations."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

FRAMES = Reading(frames=True)


@pytest.mark.parametrize("form", ["png", "gif", "webp"])
def test_each_frame_is_an_image_with_its_number(tmp_path: Path, form: str) -> None:
    pictures = [picture(i) for i in range(3)]
    options = {"lossless": True} if form == "webp" else {}
    pictures[0].save(tmp_path / f"walk.{form}", save_all=True, append_images=pictures[1:], **options)
    picture(9).save(tmp_path / "stand.png")
    (tmp_path / "labels.csv").write_text(f"file,kind\nwalk.{form},orc\nstand.png,elf\n")
    assert "is an animation; --frames makes an image of each of its frames" in refusal(tmp_path)
    dataset = ImageDataset(tmp_path, reading=FRAMES)
    assert len(dataset) == 4
    assert [(each.name, each.kind) for each in dataset.attributes] == [("kind", "nominal"), ("frame", "ordinal")]
    batch = dataset.batch(np.array([2, 0, 3, 1]))
    # An animated WebP is never grey, and has alpha.
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[batch.images.shape[3]]
    order = (pictures[2], pictures[0], picture(9), pictures[1])
    shown = np.stack([np.asarray(each.convert(mode)) for each in order])
    assert np.array_equal(batch.images, shown.reshape(batch.images.shape))
    assert batch.targets[:, dataset.attributes.columns("frame")].argmax(axis=1).tolist() == [2, 0, 0, 1]


def test_a_column_of_frames_is_not_written_over(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,frame\na.png,1\n")
    assert "has a column 'frame' already, which --frames would make" in refusal(tmp_path, reading=FRAMES)


def test_a_damaged_animation_is_a_fault(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.gif", save_all=True, append_images=[picture(1)])
    (tmp_path / "b.gif").write_bytes(b"GIF89a")
    (tmp_path / "labels.csv").write_text("file,kind\na.gif,orc\nb.gif,elf\n")
    assert "row 3: 'b.gif' is damaged, or no image" in refusal(tmp_path, reading=FRAMES)
    assert len(ImageDataset(tmp_path, reading=Reading(frames=True, skip_bad=True))) == 2
