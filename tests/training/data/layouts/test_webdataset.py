"""Samples in archives, as WebDataset has them: https://github.com/webdataset/webdataset."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading


def png(seed: int) -> bytes:
    file = io.BytesIO()
    picture(seed).save(file, "png")
    return file.getvalue()


def shard(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.xz", "w:xz")]
)
def test_labels_beside_pictures_become_attributes(tmp_path: Path, name: str, mode: str) -> None:
    members = {}
    for i in range(4):
        members[f"00{i}.json"] = json.dumps({"hair": ["red", "blue"][i % 2], "level": i, "boxes": []}).encode()
        members[f"00{i}.png"] = png(i)
        members[f"00{i}.cls"] = str(i // 2).encode()
    dataset = ImageDataset(shard(tmp_path / name, members, mode))
    assert {each.name: each.kind for each in dataset.attributes} == {
        "hair": "nominal",
        "level": "ordinal",
        "class": "nominal",
    }
    assert np.array_equal(dataset.batch(np.arange(4)).images[..., 0], [np.asarray(picture(i)) for i in range(4)])


def test_several_shards_are_one_data_set(tmp_path: Path) -> None:
    for part in range(2):
        members = {f"{i}.png": png(2 * part + i) for i in range(2)} | {f"{i}.cls": b"%d" % part for i in range(2)}
        shard(tmp_path / f"art-{part:03}.tar", members)
    dataset = ImageDataset(tmp_path)
    assert len(dataset) == 4
    assert dataset.attributes["class"].labels == ("0", "1")


@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        ({"b.png": png(1), "b.json": b"{"}, "'b.json': is no JSON"),
        ({"b.png": png(1), "b.json": b"[]"}, "'b.json': holds list, not an object"),
        ({"b.png": png(1), "b.jpg": b"x", "b.cls": b"1"}, "a sample has several pictures: 'b.jpg', 'b.png'"),
        ({"b.png": b"x", "b.cls": b"1"}, "'b.png' is damaged"),
    ],
    ids=["no json", "a list", "two pictures", "damaged"],
)
def test_a_bad_sample_is_a_fault(tmp_path: Path, extra: dict[str, bytes], hint: str) -> None:
    good = {"a.png": png(0), "a.cls": b"0", "c.png": png(2), "c.cls": b"1"}
    path = shard(tmp_path / "a.tar", good | extra)
    assert hint in refusal(path, reading=Reading(layout="webdataset"))
    assert len(ImageDataset(path, reading=Reading(layout="webdataset", skip_bad=True))) == 2
