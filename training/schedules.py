"""Schedules: pure functions of how far training has come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Progress(NamedTuple):
    """How far training has come: ``step`` of ``steps``, 0 at the first one."""

    step: int
    steps: int


Schedule = Callable[[Progress], float]


def at(value: float | Schedule, progress: Progress) -> float:
    """A number, or what a schedule says at a moment."""
    return value(progress) if callable(value) else value


def hold_then_linear(peak: float, hold: float, warmup: float = 0.0) -> Schedule:
    """Rise linearly over the share ``warmup`` of training, stay at ``peak`` until ``hold``, fall linearly to 0."""

    def value(progress: Progress) -> float:
        done = progress.step / progress.steps
        rising = min(done / warmup, 1.0) if warmup else 1.0
        falling = min((1 - done) / (1 - hold), 1.0) if hold < 1 else 1.0
        return peak * rising * falling

    return value


def polynomial(peak: float, power: float, warmup: float) -> Schedule:
    """Rise linearly over the share ``warmup`` of training to ``peak``, falling all the while with the given power of
    what remains of training: as ``poly`` of Chen et al. (2016), DeepLab.
    """

    def value(progress: Progress) -> float:
        done = progress.step / progress.steps
        return peak * min(done / warmup, 1.0) * float((1 - done) ** power)

    return value


def ramp(start: float, end: float, share: float) -> Schedule:
    """From ``start`` linearly to ``end`` over the first ``share`` of training, then ``end``."""
    return lambda progress: start + (end - start) * min(progress.step / (share * progress.steps), 1.0)


def sigmoid_drop(initial: float, final: float, length: float, slope: float = -0.1) -> Schedule:
    """From ``initial`` to ``final`` along a logistic curve, half-way after ``length`` steps (iliya-malecki/vaes)."""

    def value(progress: Progress) -> float:
        steepness = min(slope * (progress.step - length), 500.0)  # beyond, exp is of no consequence and overflows
        return initial + (final - initial) / (1 + math.exp(steepness))

    return value


def damped_cosine(low: float, high: float, half: float, decay: float, periods: int) -> Schedule:
    """Waves of ``2 * half`` steps between ``low`` and a falling crest; ``low`` after so many (iliya-malecki/vaes)."""

    def value(progress: Progress) -> float:
        if progress.step >= 2 * half * periods:
            return low
        wave = 1 + math.cos(math.pi * progress.step / half)
        return low + high / 2 * wave * float((1 + decay / half) ** -progress.step)

    return value


@dataclass(frozen=True)
class Plateau:
    """Lower the learning rate where the loss stands still, and stop in the end (chrisonntag's trainer).

    After ``patience`` epochs whose losses differ by less than the share ``change`` of their mean, the rate is
    multiplied by ``factor``; after ``decays`` times of that, training ends.
    """

    patience: int = 4
    change: float = 1e-3
    factor: float = 0.2
    decays: int = 10

    def __call__(self, losses: Sequence[float]) -> tuple[float, bool]:
        """What to multiply the rate with, and whether to stop, after epochs with these losses."""
        times, since = 0, 0
        for epoch in range(1, len(losses) + 1):
            recent = losses[max(since, epoch - self.patience) : epoch]
            if len(recent) == self.patience and max(recent) - min(recent) < self.change * abs(
                sum(recent) / len(recent)
            ):
                times, since = times + 1, epoch
        return self.factor ** min(times, self.decays), times >= self.decays
