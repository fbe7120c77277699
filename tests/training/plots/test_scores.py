import numpy as np
from numpy.typing import NDArray

from training.metrics.scores import Score
from training.plots.figures import PALETTE
from training.plots.scores import scores_picture

EXAMPLES = np.full((40, 90, 1), 7, np.uint8)
SCORE = Score(0.5, 0.4, 0.6, 100)


def blue_points(picture: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Where [P, 2] the first set of rows is drawn."""
    colour = [int(PALETTE[0][i : i + 2], 16) for i in (1, 3, 5)]
    return np.argwhere(np.abs(picture.astype(int) - colour).max(axis=2) < 10)


def test_a_higher_share_lies_further_to_the_right() -> None:
    def first_line(share: float) -> int:
        """Where the first score is drawn; the others keep the axis from 0 to 1."""
        means = {"accuracy.a": share, "decode.iou": 1.0, "decode.exact": 0.0}
        evaluation = {"held out": {name: Score(mean, mean, mean, 9) for name, mean in means.items()}}
        points = blue_points(scores_picture(evaluation, {}, EXAMPLES))
        return int(points[points[:, 0] < points[:, 0].min() + 8, 1].min())

    assert first_line(0.2) < first_line(0.5) < first_line(0.8)


def test_a_second_set_of_rows_and_ceilings_are_drawn_too() -> None:
    one = scores_picture({"held out": {"accuracy.a": SCORE}}, {}, EXAMPLES)
    two = scores_picture({"held out": {"accuracy.a": SCORE}, "all": {"accuracy.a": SCORE}}, {"a": 0.7}, EXAMPLES)
    orange = [int(PALETTE[1][i : i + 2], 16) for i in (1, 3, 5)]
    shows = [(np.abs(picture.astype(int) - orange).max(axis=2) < 10).any() for picture in (one, two)]
    assert shows == [False, True]


def test_without_shares_the_examples_stand_alone() -> None:
    assert scores_picture({"held out": {"reconstruction.bce": SCORE}}, {}, EXAMPLES) is EXAMPLES
    unlabelled = Score(float("nan"), float("nan"), float("nan"), 0)
    assert scores_picture({"held out": {"accuracy.a": unlabelled}}, {}, EXAMPLES) is EXAMPLES
