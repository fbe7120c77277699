"""Means over rows of metrics whose values are known, and the choice of metrics."""

import numpy as np
import pytest

from tests.training.metrics.oracles import ROWS, Blank, HalfLabelled, Oracle
from training.data.dsprites import RenderedDSprites
from training.metrics import SET_METRICS, chosen, score


def test_an_oracle_has_full_marks() -> None:
    dataset = RenderedDSprites()
    scores = score(Oracle(dataset, ROWS[:300]), dataset, ROWS[:300])
    lost = {
        name: each.mean
        for name, each in scores.items()
        if name.startswith(("accuracy", "round_trip")) and each.mean < 1
    }
    assert lost == {}
    assert scores["decode.iou"].mean == scores["decode.exact"].mean == 1
    assert scores["decode.error"].mean == 0
    assert scores["reconstruction.bce"].mean < 0.01


def test_unlabelled_attributes_do_not_count() -> None:
    dataset, rows = HalfLabelled(), np.concatenate([np.arange(100), np.arange(500_000, 500_300)])
    scores = score(Blank(dataset, rows), dataset, rows)
    assert scores["accuracy.shape"].rows == 100
    assert scores["accuracy.shape"].mean == 1  # the first thousand are squares
    assert scores["accuracy.scale"].rows == 400
    assert scores["decode.iou"].rows == 100


def test_an_unknown_metric_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no metric 'mug'; there is: calibration, fidelity, .*mig"):
        chosen(["mug"])
    assert chosen(["all"]) == list(SET_METRICS)
