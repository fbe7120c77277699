import numpy as np
import pytest

from tests.training.metrics.oracles import ROWS, Blank, HalfLabelled
from training.data.dsprites import RenderedDSprites, classes_of
from training.metrics import score


def test_the_first_class_comes_back_whatever_was_decoded() -> None:
    """``Blank`` encodes every image as the first classes, so only rows that have these come back."""
    dataset, rows = RenderedDSprites(), ROWS[:300]
    scores = score(Blank(dataset, rows), dataset, rows)
    first = classes_of(rows) % [3, 6, 39, 32, 32] == 0
    names = ["shape", "scale", "orientation", "pos_x", "pos_y"]
    for i, name in enumerate(names):
        assert scores[f"round_trip.{name}"].mean == pytest.approx(first[:, i].mean())
    assert scores["round_trip.all"].mean == pytest.approx(first.all(axis=1).mean())
    others = np.delete(first, 2, axis=1).all(axis=1)
    assert scores["round_trip.all_but_orientation"].mean == pytest.approx(others.mean())


def test_rows_with_a_missing_label_do_not_count() -> None:
    dataset, rows = HalfLabelled(), np.concatenate([np.arange(50), np.arange(500_000, 500_050)])
    scores = score(Blank(dataset, rows), dataset, rows)
    assert scores["round_trip.all"].rows == scores["round_trip.scale"].rows == 50
