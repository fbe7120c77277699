import numpy as np
import pytest

from training.metrics.smoothness import smoothness_and_straightness


def test_even_steps_along_a_line_are_smooth_and_straight() -> None:
    line = np.outer(np.arange(6.0), [1.0, 2.0])
    assert smoothness_and_straightness(line) == (pytest.approx(1), pytest.approx(1))


def test_a_single_jump_is_as_uneven_as_can_be() -> None:
    jump = np.array([[0.0], [0], [0], [1], [1]])
    assert smoothness_and_straightness(jump) == (pytest.approx(1 / 4), pytest.approx(1))


def test_a_detour_is_not_straight() -> None:
    """Along two sides of a square: sqrt(2) / 2."""
    corner = np.array([[0.0, 0], [1, 0], [1, 1]])
    assert smoothness_and_straightness(corner) == (pytest.approx(1), pytest.approx(2**0.5 / 2))


def test_nothing_that_changes_has_no_smoothness() -> None:
    assert np.isnan(smoothness_and_straightness(np.zeros((4, 3)))).all()
