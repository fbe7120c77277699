import numpy as np
import pytest
from numpy.typing import NDArray

from attributes import Attribute
from tests.training.plots.toys import KIND
from training.plots.scatter import scatter, scatter_matrix


def test_a_circle_of_classes_closes_in_colour_and_shows_on_white() -> None:
    turn = Attribute(name="turn", kind="circular", size=40, period=39)

    def colour(place: int) -> NDArray[np.float64]:
        picture = scatter(np.zeros((500, 2)), np.full(500, place), turn, ["x", "y"])
        panel = picture[20:600, 80:600].reshape(-1, 3).astype(float)
        return panel[np.ptp(panel, axis=1).argmax()]

    first, quarter, half, last = (colour(place) for place in (0, 10, 19, 38))
    assert np.abs(first - last).max() < 50 < min(np.abs(first - half).max(), np.abs(first - quarter).max())
    assert max(each.min() for each in (first, quarter, half, last)) < 100


def test_classes_that_no_image_has_are_named_all_the_same() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    one, all_of_them = (scatter(points, np.arange(20) % n, KIND, ["x", "y"]) for n in (1, 3))
    assert (one[:, 720:] == all_of_them[:, 720:]).all()


def test_points_are_coloured_by_class() -> None:
    kind = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
    points = np.array([[-1.0, -1], [1, 1]])
    picture = scatter(points, np.array([0, 1]), kind, ["x", "y"])
    red_over_blue = picture[..., 0].astype(int) - picture[..., 2]
    blue, orange = red_over_blue < -50, red_over_blue > 50
    panel = slice(0, 715)  # beyond lies the legend
    assert blue[:, panel].nonzero()[0].mean() > orange[:, panel].nonzero()[0].mean(), "a lies below b"


@pytest.mark.parametrize("kind", ["ordinal", "circular"])
def test_many_classes_get_a_colour_bar(kind: str) -> None:
    period = 30 if kind == "circular" else None
    attribute = Attribute(name="turn", kind=kind, size=30, period=period)
    draw = np.random.default_rng(0)
    picture = scatter_matrix(draw.normal(size=(90, 3)), np.arange(90) % 30, attribute, ["x", "y", "z"])
    assert len(np.unique(picture[:, -120:].reshape(-1, 3), axis=0)) > 30
