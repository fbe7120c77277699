import numpy as np
import pytest

from tests.training.metrics.oracles import ROWS, Blank
from training.data.dsprites import RenderedDSprites
from training.metrics import score
from training.metrics.decoding import iou


def test_a_blank_image_has_nothing_in_common_with_the_true_one() -> None:
    dataset = RenderedDSprites()
    scores = score(Blank(dataset, ROWS[:300]), dataset, ROWS[:300])
    assert scores["decode.iou"].mean == scores["decode.exact"].mean == 0
    inked = dataset.batch(ROWS[:300]).images.mean() / 255
    assert scores["decode.error"].mean == pytest.approx(inked, rel=1e-5)


def test_iou_is_the_intersection_over_the_union_of_bright_pixels() -> None:
    truth = np.array([[1.0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
    decoded = np.array([[1.0, 0, 1, 0], [0, 0, 0, 0.4], [0, 0, 0, 0]])
    assert iou(truth, decoded).tolist() == [pytest.approx(1 / 3), 1, 0]
