"""Schedules: pure functions of the progress of training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Progress(NamedTuple):
    """The progress of training: ``step`` of ``steps``. The first step is 0."""

    step: int
    steps: int


Schedule = Callable[[Progress], float]


def at(value: float | Schedule, progress: Progress) -> float:
    """A number as it is, or the value of a schedule."""
    return value(progress) if callable(value) else value


def hold_then_linear(peak: float, hold: float, warmup: float = 0.0) -> Schedule:
    """Rise linearly to ``peak``, stay there, then fall linearly to 0.

    ``warmup`` is the share of training in which it rises, ``hold`` the share after which it falls.
    """

    def schedule(progress: Progress) -> float:
        done = progress.step / progress.steps
        rising = min(done / warmup, 1.0) if warmup else 1.0
        falling = min((1 - done) / (1 - hold), 1.0) if hold < 1 else 1.0
        return peak * rising * falling

    return schedule


def polynomial(peak: float, power: float, warmup: float) -> Schedule:
    """``peak`` times (1 - share done)^power, the ``poly`` schedule of DeepLab (Chen et al. 2016).

    Over the first share ``warmup`` of training it is multiplied by a linear rise from 0 to 1.
    """

    def schedule(progress: Progress) -> float:
        done = progress.step / progress.steps
        return peak * min(done / warmup, 1.0) * float((1 - done) ** power)

    return schedule


def ramp(start: float, end: float, share: float) -> Schedule:
    """From ``start`` linearly to ``end`` over the first ``share`` of training, then ``end``."""
    return lambda progress: start + (end - start) * min(progress.step / (share * progress.steps), 1.0)


def sigmoid_drop(initial: float, final: float, length: float, slope: float = -0.1) -> Schedule:
    """From ``initial`` to ``final`` along a logistic curve, half-way after ``length`` steps (iliya-malecki/vaes)."""

    def schedule(progress: Progress) -> float:
        exponent = min(slope * (progress.step - length), 500.0)  # exp overflows at 710, and changes nothing from here
        return initial + (final - initial) / (1 + math.exp(exponent))

    return schedule


def damped_cosine(low: float, high: float, half: float, decay: float, periods: int) -> Schedule:
    """``periods`` waves of ``2 * half`` steps between ``low`` and a falling crest, then ``low`` (iliya-malecki/vaes).

    The crest begins ``high`` above ``low`` and is multiplied by 1 / (1 + decay / half) in each step.
    """

    def schedule(progress: Progress) -> float:
        if progress.step >= 2 * half * periods:
            return low
        wave = 1 + math.cos(math.pi * progress.step / half)
        return low + high / 2 * wave * float((1 + decay / half) ** -progress.step)

    return schedule


@dataclass(frozen=True)
class Plateau:
    """Lower the learning rate where the loss stands still, and stop in the end (chrisonntag's trainer).

    The loss stands still if ``patience`` epochs differ by less than the share ``change`` of their mean. Then the rate
    is multiplied by ``factor``. After ``decays`` such times, training ends.
    """

    patience: int = 4
    change: float = 1e-3
    factor: float = 0.2
    decays: int = 10

    def __call__(self, losses: Sequence[float]) -> tuple[float, bool]:
        """The factor of the learning rate, and whether to stop, after epochs with these losses."""
        decays, last_decay = 0, 0
        for epoch in range(1, len(losses) + 1):
            if self._stands_still(losses[max(last_decay, epoch - self.patience) : epoch]):
                decays, last_decay = decays + 1, epoch
        return self.factor ** min(decays, self.decays), decays >= self.decays

    def _stands_still(self, recent: Sequence[float]) -> bool:
        if len(recent) < self.patience:
            return False
        return max(recent) - min(recent) < self.change * abs(sum(recent) / len(recent))
