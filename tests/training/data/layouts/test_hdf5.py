"""HDF5 files."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import refusal
from training.data.image_dataset import ImageDataset

h5py = pytest.importorskip("h5py", reason="needs spritevae[hdf5]")


def test_3d_shapes_is_read_with_its_names(format_samples: Path) -> None:
    dataset = ImageDataset(format_samples / "3dshapes.h5")
    names = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"]
    assert [each.name for each in dataset.attributes] == names
    with h5py.File(format_samples / "3dshapes.h5") as file:
        assert np.array_equal(dataset.batch(np.arange(5)).images, file["images"][()])
        assert np.allclose(dataset.batch(np.arange(5)).targets[:, 3], file["labels"][:, 3])


def test_the_hdf5_of_dsprites_is_read_with_its_groups(format_samples: Path) -> None:
    path = next(format_samples.glob("*.hdf5"))
    dataset = ImageDataset(path)
    assert [each.name for each in dataset.attributes] == ["shape", "scale", "orientation", "pos_x", "pos_y"]
    with h5py.File(path) as file:
        assert np.array_equal(dataset.batch(np.arange(5)).images[..., 0], file["imgs"][()])


def test_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(b"no hdf5")
    assert "a.h5: can't be read as HDF5" in refusal(path)
    with h5py.File(path, "w") as file:
        file["x/y"] = np.zeros(3)
    assert "has no array of images" in refusal(path)
