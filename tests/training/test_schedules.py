import math

import pytest

from training.schedules import (
    Plateau,
    Progress,
    Schedule,
    at,
    damped_cosine,
    hold_then_linear,
    polynomial,
    ramp,
    sigmoid_drop,
)


def over(schedule: Schedule, *steps: int, of: int = 100) -> list[float]:
    return [schedule(Progress(step, of)) for step in steps]


def test_hold_then_linear_rises_holds_and_falls_to_nothing() -> None:
    assert over(hold_then_linear(2.0, hold=0.5, warmup=0.1), 0, 5, 10, 50, 75, 100) == [0, 1, 2, 2, 1, 0]


def test_polynomial_rises_and_falls_with_its_power() -> None:
    assert over(polynomial(100.0, power=2, warmup=0.2), 0, 10, 20, 50, 100) == [
        pytest.approx(value) for value in (0, 40.5, 64, 25, 0)
    ]


def test_a_ramp_ends_after_its_share() -> None:
    assert over(ramp(1, 5, share=0.5), 0, 25, 50, 100) == [1, 3, 5, 5]


def test_the_sigmoid_drops_from_initial_to_final_around_its_length() -> None:
    values = over(sigmoid_drop(20, 0.01, 4000), 0, 4000, 9375, of=9375)
    assert values == [pytest.approx(20), pytest.approx((20 + 0.01) / 2), pytest.approx(0.01)]


def test_the_cosine_is_the_published_formula_and_ends_low() -> None:
    schedule = damped_cosine(0.5, 10, half=100, decay=1, periods=2)
    t = 130
    expected = 0.5 + 10 / 2 * (1 + math.cos(math.pi * t / 100)) * (1 + 1 / 100) ** -t
    assert over(schedule, t, 399, 400, 9999) == [
        pytest.approx(expected),
        pytest.approx(over(schedule, 399)[0]),
        0.5,
        0.5,
    ]


def test_a_number_is_a_schedule_that_never_changes() -> None:
    assert at(3.0, Progress(1, 2)) == 3
    assert at(ramp(0, 1, 1), Progress(1, 2)) == 0.5


class TestPlateau:
    plateau = Plateau(patience=4, change=1e-3, factor=0.2, decays=2)

    def test_a_loss_that_falls_keeps_the_rate(self) -> None:
        assert self.plateau([9.0, 8, 7, 6, 5]) == (1, False)

    def test_four_epochs_alike_lower_the_rate(self) -> None:
        assert self.plateau([9.0, 5, 5.001, 5, 5.002]) == (0.2, False)
        assert self.plateau([9.0, 5, 5.001, 5]) == (1, False)

    def test_the_next_fall_takes_four_more_epochs(self) -> None:
        assert self.plateau([5.0] * 7) == (0.2, False)
        assert self.plateau([5.0] * 8) == (pytest.approx(0.04), True)
