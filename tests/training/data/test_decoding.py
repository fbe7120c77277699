"""From pictures to one array."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.data.folders import MakeFolder, picture, refusal
from training.data import decoding
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, for the smallest set too."""
    monkeypatch.setenv("SPRITEVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(decoding, "MIN_CACHED_BYTES", 1)
    return tmp_path / "cache"


@pytest.mark.usefixtures("cached")
def test_the_cache_gives_what_decoding_gives_and_follows_every_change(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder("x", ["0", "1", "2"])
    first = ImageDataset(path)
    monkeypatch.setattr(decoding, "_write_pictures", None)  # nothing is decoded again
    again = ImageDataset(path)
    assert again.content == first.content
    assert isinstance(again.batch(np.arange(2)).images, np.ndarray)
    monkeypatch.undo()
    shutil.copy(path / "0.png", path / "1.png")
    changed = ImageDataset(path)
    assert changed.content != first.content
    assert np.array_equal(*changed.batch(np.arange(2)).images)


@pytest.mark.usefixtures("cached")
def test_rows_that_could_not_be_decoded_stay_out_of_the_cache(
    folder: MakeFolder, capsys: pytest.CaptureFixture
) -> None:
    path = folder("x", ["a", "b", "c"])
    data = (path / "1.png").read_bytes()
    (path / "1.png").write_bytes(data[: len(data) // 2])
    assert "row 3: '1.png' is damaged" in refusal(path)
    for _ in range(2):
        dataset = ImageDataset(path, reading=Reading(skip_bad=True))
        assert dataset.batch(np.arange(2)).targets.argmax(axis=1).tolist() == [0, 2]
        assert "1 left out, as --skip-bad says" in capsys.readouterr().err


def test_the_colour_of_what_is_transparent_is_ignored(folder: MakeFolder) -> None:
    seen = np.full((10, 8, 4), (200, 30, 90, 255), np.uint8)
    seen[:5] = 0
    other = seen.copy()
    other[:5] = (7, 8, 9, 0)
    dataset = ImageDataset(folder("x", ["a", "b"], [Image.fromarray(seen), Image.fromarray(other)]))
    assert np.array_equal(*dataset.batch(np.arange(2)).images)


def test_images_of_several_sizes_need_a_way_to_one(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"], [picture(0), picture(1, size=(32, 29))])
    assert "labels.csv: the images have 2 sizes (width x height): 1 of 32 x 28, 1 of 32 x 29" in refusal(path)
    assert ImageDataset(path, reading=Reading(fit="pad")).image_shape == (29, 32, 1)
    assert ImageDataset(path, reading=Reading(fit="crop")).image_shape == (28, 32, 1)


def test_no_readable_image_is_an_error_even_where_bad_ones_are_skipped(folder: MakeFolder) -> None:
    path = folder("x", ["a"])
    (path / "0.png").write_bytes(b"")
    assert "no image can be read" in refusal(path, reading=Reading(skip_bad=True))
