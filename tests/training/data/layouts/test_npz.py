"""Files of numpy's arrays."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.data.folders import refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading

LABELS = np.arange(5) % 2
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)


def test_compressed_or_not_the_same_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", imgs=IMAGES, label=LABELS)
    np.savez_compressed(tmp_path / "b.npz", imgs=IMAGES, label=LABELS)
    plain, packed = ImageDataset(tmp_path / "a.npz"), ImageDataset(tmp_path / "b.npz")
    assert plain.content == packed.content
    assert np.array_equal(plain.batch(np.arange(5)).images[..., 0], IMAGES)


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", imgs=IMAGES, label=LABELS, metadata=np.array({"a": 1}))
    assert [each.name for each in ImageDataset(tmp_path / "a.npz").attributes] == ["label"]


def test_damage_and_what_cannot_be_read_row_by_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, imgs=IMAGES, label=LABELS)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "a.npz: can't be read as npz" in refusal(path)
    path.write_bytes(whole.replace(IMAGES[2].tobytes(), IMAGES[3].tobytes()))
    assert "(Bad CRC-32 for file 'imgs.npy')" in refusal(path)
    np.savez(path, imgs=np.asfortranarray(IMAGES), label=LABELS)
    assert "save it with numpy.ascontiguousarray" in refusal(path)
    np.savez(tmp_path / "b.npz", imgs=IMAGES, label=LABELS)
    assert "name one file .npz, not in an archive; it holds a.npz, b.npz" in refusal(tmp_path)


def test_the_published_file_of_dsprites_has_its_true_names(format_samples: Path) -> None:
    path = next(format_samples.glob("*.npz"))
    dataset = ImageDataset(path)
    assert [each.name for each in dataset.attributes] == ["shape", "scale", "orientation", "pos_x", "pos_y"]
    with np.load(path) as arrays:
        assert np.array_equal(dataset.batch(np.arange(12)).images[..., 0], arrays["imgs"] * 255)


def test_real_images_are_the_same_by_either_reader(real_dsprites: Path) -> None:
    dataset = ImageDataset(real_dsprites, ["original_dataset_indices=continuous"], reading=Reading(layout="npz"))
    with np.load(real_dsprites) as arrays:
        rows = np.array([0, 777, 19_999])
        assert np.array_equal(dataset.batch(rows).images[..., 0], arrays["imgs"][rows] * 255)
        scale = dataset.attributes.columns("scale")
        assert np.array_equal(dataset.batch(rows).targets[:, scale].argmax(axis=1), arrays["latents_classes"][rows, -4])


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2048])
def test_every_block_is_read(tmp_path: Path, count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", imgs=images, label=np.arange(count) % 3)
    assert np.array_equal(ImageDataset(tmp_path / "a.npz").batch(np.arange(count)).images[..., 0], images)
