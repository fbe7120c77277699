import numpy as np
import pytest

from tests.training.metrics.oracles import ROWS, Blank
from training.data.dsprites import ATTRIBUTES, RenderedDSprites, classes_of
from training.metrics import score


def test_a_constant_guess_scores_the_share_of_that_class() -> None:
    dataset = RenderedDSprites()
    scores = score(Blank(dataset, ROWS[:300]), dataset, ROWS[:300])
    classes = classes_of(ROWS[:300])
    for i, attribute in enumerate(ATTRIBUTES):
        assert scores[f"accuracy.{attribute.name}"].mean == pytest.approx((classes[:, i] == 0).mean())
    merged = np.isin(classes[:, 2], (0, 39)).mean()
    assert scores["accuracy.orientation.merged"].mean == pytest.approx(merged)
