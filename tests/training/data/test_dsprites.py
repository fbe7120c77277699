"""dSprites: row numbers, labels, ceilings and files."""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data.dataset import DataError
from training.data.dsprites import (
    ATTRIBUTES,
    CEILINGS,
    COUNT,
    DSpritesFile,
    RenderedDSprites,
    canonical_keys,
    classes_of,
)
from training.data.dsprites_renderer import render


def test_rows_lie_where_the_original_has_them(real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        rows, classes = arrays["original_dataset_indices"], arrays["latents_classes"][:, -5:]
    assert np.array_equal(classes_of(rows), classes)


def test_units_are_those_of_the_original(real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        classes, values = arrays["latents_classes"][:, -5:], arrays["latents_values"][:, -5:]
    for i, attribute in enumerate(ATTRIBUTES):
        if attribute.name != "shape":
            assert attribute.in_unit(classes[:, i]) == pytest.approx(values[:, i])


# the whole data set


def test_a_batch_has_images_one_hot_targets_and_everything_known() -> None:
    dataset = RenderedDSprites()
    assert (len(dataset), dataset.image_shape) == (737_280, (64, 64, 1))
    row = 2 * 245_760 + 4 * 40_960 + 39 * 1024 + 7 * 32 + 31
    images, targets, known = dataset.batch(np.array([row, 0]))
    assert images.dtype == np.uint8
    assert (images.shape, targets.shape) == ((2, 64, 64, 1), (2, 113))
    assert np.unique(images).tolist() == [0, 255]
    assert np.array_equal(images[0, :, :, 0], 255 * render(2, 4, 39, 7, 31)[0])
    assert np.flatnonzero(targets[0]).tolist() == [2, 3 + 4, 9 + 39, 49 + 7, 81 + 31]
    assert np.flatnonzero(targets[1]).tolist() == [0, 3, 9, 49, 81]
    assert known.all()
    assert known.shape == (2, 5)


def test_keys_differ_for_all_combinations_but_one_angle_under_two_names() -> None:
    keys = canonical_keys(RenderedDSprites().classes).reshape(18, 40, 1024)
    assert len(np.unique(keys)) == COUNT // 40 * 39
    assert np.array_equal(keys[:, 0], keys[:, 39])


def test_ceilings_are_the_accuracy_of_the_best_possible_guess() -> None:
    """Over all images: guess the most frequent class among all combinations that look the same."""
    labels_of: dict[bytes, list[int]] = defaultdict(list)
    for rows in np.array_split(np.arange(COUNT), 180):
        packed = np.packbits(render(*classes_of(rows).T).reshape(len(rows), -1), axis=1)
        for row, image in zip(rows.tolist(), packed, strict=True):
            labels_of[hashlib.blake2b(image.tobytes(), digest_size=16).digest()].append(row)
    assert len(labels_of) == 715_706
    alike = [classes_of(np.array(rows)) for rows in labels_of.values() if len(rows) > 1]
    alone = len(labels_of) - len(alike)

    def ceiling(labels: list[list[Any]]) -> float:
        return (alone + sum(max(Counter(each).values()) for each in labels)) / COUNT

    found = {a.name: ceiling([rows[:, i].tolist() for rows in alike]) for i, a in enumerate(ATTRIBUTES)}
    found["orientation.merged"] = ceiling([(rows[:, 2] % 39).tolist() for rows in alike])
    found["all"] = ceiling([list(map(tuple, rows.tolist())) for rows in alike])
    assert found == pytest.approx(CEILINGS, abs=5e-5)
    assert (CEILINGS["orientation"], CEILINGS["orientation.merged"]) == (0.9707, 0.9957)


# files


def write(file: Path, **changes: Any) -> Path:
    """An npz of 50 rows as the original has them, with some arrays changed or left out (None)."""
    classes = classes_of(np.random.default_rng(4).permutation(COUNT)[:50])
    arrays = {"imgs": render(*classes.T), "latents_classes": np.pad(classes, ((0, 0), (1, 0)))} | changes
    present: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    np.savez_compressed(file, **present)
    return file


def test_a_file_gives_its_own_images_and_labels(real_dsprites: Path) -> None:
    dataset = DSpritesFile(real_dsprites)
    with np.load(real_dsprites) as arrays:
        images, classes = arrays["imgs"], arrays["latents_classes"][:, -5:]
    rows = np.array([19_999, 0, 77])
    batch = dataset.batch(rows)
    assert len(dataset) == 20_000
    assert np.array_equal(batch.images[..., 0], 255 * images[rows])
    for name, column in zip(("shape", "scale", "orientation", "pos_x", "pos_y"), classes[rows].T, strict=True):
        assert np.array_equal(batch.targets[:, ATTRIBUTES.columns(name)].argmax(axis=1), column)
    assert dataset.labelled.all()


@pytest.mark.parametrize("columns", [5, 6])
def test_a_file_may_have_the_colour_column_or_not(tmp_path: Path, columns: int) -> None:
    classes = classes_of(np.arange(50) * 14_000)
    given = np.pad(classes, ((0, 0), (columns - 5, 0)))
    dataset = DSpritesFile(write(tmp_path / "some.npz", imgs=render(*classes.T), latents_classes=given))
    rows = np.arange(50)
    assert np.array_equal(dataset.batch(rows).images, RenderedDSprites().batch(rows * 14_000).images)
    assert np.array_equal(dataset.batch(rows).targets, RenderedDSprites().batch(rows * 14_000).targets)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"imgs": None}, "not a dSprites npz"),
        ({"latents_classes": None}, "not a dSprites npz"),
        ({"imgs": np.array([{}])}, "not a dSprites npz"),
        ({"imgs": np.zeros((50, 64, 63), np.uint8)}, "imgs must be uint8"),
        ({"imgs": np.zeros((49, 64, 64), np.uint8)}, "imgs must be uint8"),
        ({"imgs": np.zeros((50, 64, 64))}, "imgs must be uint8"),
        ({"imgs": np.full((50, 64, 64), 255, np.uint8)}, "must hold 0 and 1"),
        ({"imgs": np.zeros((50, 64, 64), np.uint8)}, "is not the image that its classes describe"),
        ({"imgs": np.zeros((0, 64, 64), np.uint8), "latents_classes": np.zeros((0, 6), int)}, "lie outside"),
        ({"latents_classes": np.zeros(50, int)}, "latents_classes"),
        ({"latents_classes": np.zeros((50, 4), int)}, "lie outside"),
        ({"latents_classes": np.full((50, 6), 40)}, "lie outside"),
        ({"latents_classes": np.full((50, 6), -1)}, "lie outside"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, changes: dict[str, Any], hint: str) -> None:
    file = write(tmp_path / "some.npz", **changes)
    with pytest.raises(DataError) as caught:
        DSpritesFile(file)
    assert str(caught.value).startswith(str(file))
    assert hint in str(caught.value)


def test_a_file_whose_labels_are_mixed_up_is_refused(tmp_path: Path) -> None:
    classes = classes_of(np.arange(50) * 14_000)
    file = write(tmp_path / "some.npz", imgs=render(*classes[::-1].T), latents_classes=classes)
    with pytest.raises(DataError, match=r"row \d+ is not the image that its classes describe"):
        DSpritesFile(file)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 and then nothing"])
def test_what_is_no_npz_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "some.npz"
    file.write_bytes(data)
    with pytest.raises(DataError, match="not a dSprites npz"):
        DSpritesFile(file)
    with pytest.raises(DataError, match="no such file"):
        DSpritesFile(tmp_path / "missing.npz")


def test_a_cut_off_or_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "some.npz").read_bytes()
    for at in range(40, len(whole), len(whole) // 40):
        cut, damaged = whole[:at], whole[:at] + bytes(byte ^ 0x55 for byte in whole[at : at + 20]) + whole[at + 20 :]
        for data in (cut, damaged):
            (tmp_path / "bad.npz").write_bytes(data)
            with pytest.raises(DataError, match=r"bad\.npz"):
                DSpritesFile(tmp_path / "bad.npz")


def test_the_dataset_renders_what_lies_between_its_classes() -> None:
    positions = np.array([[2, 4.5, 12.25, 7.5, 31]])
    assert np.array_equal(RenderedDSprites().render(positions)[0, :, :, 0], 255 * render(*positions.T)[0])


def test_at_whole_positions_the_dataset_renders_its_own_images_and_all_are_labelled() -> None:
    dataset, rows = RenderedDSprites(), np.array([0, 77, 400_000, COUNT - 1])
    assert np.array_equal(dataset.render(classes_of(rows).astype(float)), dataset.batch(rows).images)
    assert dataset.labelled.shape == (COUNT, 5)
    assert dataset.labelled.all()
