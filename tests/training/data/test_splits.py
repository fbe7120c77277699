"""Which rows are held out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from attributes import Attribute, Attributes
from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.splits import COLUMN, COMBINATIONS, IMAGES, split


def attributes(*sizes: int) -> Attributes:
    return Attributes(
        [Attribute(name=f"a{i}", kind="ordinal", size=size, range=(0, size - 1)) for i, size in enumerate(sizes)]
    )


def rows(count: int, *sizes: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).integers(0, sizes, (count, len(sizes))).astype(float)


def different(count: int) -> NDArray[np.uint64]:
    return np.random.default_rng(1).integers(0, 2**63, count).astype(np.uint64)


def test_no_combination_of_the_held_out_rows_is_trained_on() -> None:
    positions = rows(5000, 8, 7, 6)
    found = split("", attributes(8, 7, 6), positions, different(5000), None)
    assert found.way == COMBINATIONS
    unseen = found.sets["unseen combinations"]
    trained = {tuple(row) for row in positions[~found.held_out]}
    assert not any(tuple(row) in trained for row in positions[unseen])
    known = found.sets["unseen images"]
    assert all(tuple(row) in trained for row in positions[known])
    assert not (known & unseen).any()
    assert 0.06 < unseen.mean() < 0.14
    assert 0.06 < known.mean() < 0.14


def test_where_each_image_is_a_combination_there_is_one_set() -> None:
    positions = np.array([[i // 40, i % 40] for i in range(1600)], float)
    found = split("", attributes(40, 40), positions, different(1600), None)
    assert list(found.sets) == ["held out"]
    assert 0.06 < found.held_out.mean() < 0.14


@pytest.mark.parametrize("way", [COMBINATIONS, IMAGES])
def test_every_class_stays_in_training(way: str) -> None:
    for seed in range(20):
        positions = rows(60, 20, 20, seed=seed)
        found = split(way, attributes(20, 20), positions, different(60), None)
        assert found.held_out.any()
        for column in positions.T:
            assert set(column[~found.held_out]) == set(column)


def test_copies_of_an_image_are_on_one_side() -> None:
    images = np.repeat(different(100), 5)
    found = split(IMAGES, attributes(3), rows(500, 3), images, None)
    assert len({(key, bool(out)) for key, out in zip(images, found.held_out, strict=True)}) == 100


@pytest.mark.parametrize(("sizes", "count"), [((17,), 1800), ((2, 3), 500)], ids=["one attribute", "few combinations"])
def test_where_combinations_tell_nothing_images_are_held_out(sizes: tuple[int, ...], count: int) -> None:
    positions, images = rows(count, *sizes), different(count)
    found = split("", attributes(*sizes), positions, images, None)
    assert (found.way, list(found.sets)) == (IMAGES, ["held out"])
    with pytest.raises(DataError, match="--hold-out combinations: needs two attributes with classes and 30 comb"):
        split(COMBINATIONS, attributes(*sizes), positions, images, None)


def test_cells_that_are_empty_are_a_class_of_their_own() -> None:
    positions = rows(2000, 10, 10)
    positions[::3, 0] = np.nan
    found = split(COMBINATIONS, attributes(10, 10), positions, different(2000), None)
    trained = {tuple(row) for row in np.nan_to_num(positions[~found.held_out], nan=-1)}
    unseen = np.nan_to_num(positions[found.sets["unseen combinations"]], nan=-1)
    assert not any(tuple(row) in trained for row in unseen)


def test_what_the_data_says_is_done_unless_people_say_otherwise() -> None:
    parts = Cells.of(["train", "test", "validation", "train"] * 100, str)
    positions, images = rows(400, 20, 20), different(400)
    found = split("", attributes(20, 20), positions, images, parts)
    assert (found.way, sorted(found.sets)) == (COLUMN, ["test", "validation"])
    assert found.held_out.tolist() == [False, True, True, False] * 100
    assert split(IMAGES, attributes(20, 20), positions, images, parts).way == IMAGES
    only_train = split("", attributes(20, 20), positions, images, Cells.of(["train"] * 400, str))
    assert not only_train.held_out.any()
