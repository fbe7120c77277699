import numpy as np
from numpy.typing import NDArray

from training.plots.figures import PALETTE
from training.plots.quality import PANELS, front, time_to_quality


def blue(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(
        np.abs(picture.astype(int) - [int(PALETTE[0][i : i + 2], 16) for i in (1, 3, 5)]).max(axis=2) < 10
    )


def test_points_on_the_pareto_front_are_filled() -> None:
    """A filled marker has more pixels of its colour than a ring."""
    two_on_the_front = front({"fast": (1.0, 0.1), "good": (10.0, 0.01)}, ("time", "error"))
    one_on_the_front = front({"fast": (1.0, 0.01), "slow": (10.0, 0.1)}, ("time", "error"))
    assert blue(two_on_the_front).sum() > 1.2 * blue(one_on_the_front).sum()


def test_each_run_has_a_column_with_its_scores() -> None:
    names = [name for panel in PANELS.values() for name in panel.values()]
    history = [{"minutes": float(i), **dict.fromkeys(names, i / 4)} for i in range(5)]
    one, two = time_to_quality({"a": history}), time_to_quality({"a": history, "b": history})
    assert two.shape[1] == 2 * one.shape[1]
    right = blue(two)[:, one.shape[1] :]
    heights = right.any(axis=1).nonzero()[0]
    third = two.shape[0] / len(PANELS)
    assert {int(height / third) for height in heights} == {0, 1, 2}, "a line in each panel"
