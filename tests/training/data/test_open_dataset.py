"""What a specification opens, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from training.data import SOURCES, mnist, open_dataset
from training.data.dataset import DataError
from training.data.dsprites import DSpritesFile, RenderedDSprites
from training.data.image_dataset import ImageDataset
from training.data.mnist import IdxDataset


def test_each_kind_of_data_is_opened_as_its_own_dataset(real_dsprites: Path, mnist: Path, sprites: Path) -> None:
    specs = ("dsprites", str(real_dsprites), str(mnist), str(sprites))
    kinds = (RenderedDSprites, DSpritesFile, IdxDataset, ImageDataset)
    assert tuple(type(open_dataset(spec)) for spec in specs) == kinds


def test_labels_csv_wins_over_idx_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / mnist.PARTS[0]).touch()
    (tmp_path / "labels.csv").touch()
    with pytest.raises(DataError, match=r"labels.csv: is empty"):
        open_dataset(str(tmp_path))


@pytest.mark.parametrize("spec", ["mnits", "nowhere/at/all", "some.zip"])
def test_what_is_not_there_is_refused_with_what_there_is(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        open_dataset(spec)
    assert repr(spec) in str(caught.value)
    assert SOURCES in str(caught.value)


def test_every_name_is_listed() -> None:
    assert all(name in SOURCES for name in ("dsprites", "dsprites-original", *mnist.PUBLISHED))


def test_overrides_are_for_folders_of_images() -> None:
    with pytest.raises(DataError, match="dsprites has its own attributes"):
        open_dataset("dsprites", ["shape=nominal"])


def test_a_row_always_gives_the_same_bytes(real_dsprites: Path, mnist: Path, sprites: Path) -> None:
    for spec in ("dsprites", str(real_dsprites), str(mnist), str(sprites)):
        dataset, rows = open_dataset(spec), np.array([3, 1, 3])
        first, again, alone = dataset.batch(rows), open_dataset(spec).batch(rows), dataset.batch(np.array([1]))
        for one, other, single in zip(first, again, alone, strict=True):
            assert np.array_equal(one, other)
            assert np.array_equal(one[0], one[2])
            assert np.array_equal(one[1], single[0])
