"""The split: a tenth of all keys, the same wherever the rows come from, and never between equal images."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.dataset import splitmix64
from training.data.dsprites import COUNT, DSpritesFile, RenderedDSprites, classes_of
from training.data.dsprites_renderer import render


@pytest.fixture(scope="module")
def split() -> NDArray[np.bool_]:
    return RenderedDSprites().held_out


@pytest.mark.parametrize(
    ("seed", "outputs"),
    [
        (0, [0xE220A8397B1DCDAF]),
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]),
    ],
)
def test_splitmix64_gives_the_published_sequence(seed: int, outputs: list[int]) -> None:
    """Vigna's splitmix64.c: the state grows by 0x9E3779B97F4A7C15 with each output."""
    states = [(seed + i * 0x9E3779B97F4A7C15) % 2**64 for i in range(len(outputs))]
    assert splitmix64(np.array(states, np.uint64)).tolist() == outputs


def test_a_tenth_is_held_out(split: NDArray[np.bool_]) -> None:
    keys = COUNT // 40 * 39
    chance = (0.1 * 0.9 / keys) ** 0.5
    once = split.reshape(18, 40, 1024)[:, :39]  # orientation 39 is 0 again
    assert abs(once.mean() - 0.1) < 4 * chance


def test_every_class_is_held_out_alike(split: NDArray[np.bool_]) -> None:
    shares = split.reshape(3, 6, 40, 32, 32)
    for axis in range(5):
        others = tuple(i for i in range(5) if i != axis)
        rows = COUNT / shares.shape[axis]
        assert np.abs(shares.mean(axis=others) - 0.1).max() < 5 * (0.1 * 0.9 / rows) ** 0.5


def test_one_angle_under_two_names_is_on_one_side(split: NDArray[np.bool_]) -> None:
    by_orientation = split.reshape(18, 40, 1024)
    assert np.array_equal(by_orientation[:, 0], by_orientation[:, 39])


def test_a_file_has_the_split_of_the_whole_data_set(split: NDArray[np.bool_], tmp_path: Path) -> None:
    rows = np.random.default_rng(0).permutation(COUNT)[:2000]
    classes = classes_of(rows)
    np.savez(tmp_path / "some.npz", imgs=render(*classes.T), latents_classes=classes)
    assert np.array_equal(DSpritesFile(tmp_path / "some.npz").held_out, split[rows])


def test_the_real_file_has_the_split_of_the_whole_data_set(split: NDArray[np.bool_], real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        rows = arrays["original_dataset_indices"]
    assert np.array_equal(DSpritesFile(real_dsprites).held_out, split[rows])
