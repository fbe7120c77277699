"""Schedules: pure functions of training's progress, 0 at the first step and 1 after the last."""

from __future__ import annotations

from collections.abc import Callable

Schedule = Callable[[float], float]


def hold_then_linear(peak: float, hold: float, warmup: float = 0.0) -> Schedule:
    """Rise linearly over ``warmup``, stay at ``peak`` until ``hold``, then fall linearly to 0 at the end."""

    def value(progress: float) -> float:
        rising = min(progress / warmup, 1.0) if warmup else 1.0
        falling = min((1 - progress) / (1 - hold), 1.0)
        return peak * rising * falling

    return value
