import numpy as np
import pytest

from tests.training.metrics.oracles import ROWS, LabelOracle
from training.data.dsprites import RenderedDSprites
from training.metrics import score_set
from training.metrics.calibration import expected_calibration_error


def test_confidence_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    """By hand: 7 of 10 right at .7 and 9 of 10 at .9 leave no gap; at .9 and .8 a gap of .2 and one of .1."""
    right = np.array([True] * 7 + [False] * 3 + [True] * 9 + [False])
    honest, boastful = np.repeat([0.7, 0.9], 10), np.repeat([0.9, 0.8], 10)
    assert expected_calibration_error(honest, right) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(boastful, right) == pytest.approx((0.2 + 0.1) / 2)


def test_an_alias_counts_as_its_class_for_calibration(dataset: RenderedDSprites) -> None:
    """Orientation 39 shows what 0 shows: whoever halves the two is sure of the class, and right."""
    scores = score_set(LabelOracle(dataset, ROWS), dataset, ROWS, ["calibration"])
    assert set(scores) == {f"calibration.{name}" for name in ("shape", "scale", "orientation", "pos_x", "pos_y")}
    assert all(score.mean == pytest.approx(0, abs=1e-6) for score in scores.values())
