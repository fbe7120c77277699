import pytest

from training.schedules import hold_then_linear


@pytest.mark.parametrize(("progress", "expected"), [(0, 0), (0.05, 1), (0.1, 2), (0.4, 2), (0.7, 1), (1, 0)])
def test_rises_holds_and_falls_linearly(progress: float, expected: float) -> None:
    assert hold_then_linear(2.0, hold=0.4, warmup=0.1)(progress) == pytest.approx(expected)
