"""Each scenario in a quick form; ``make soak`` runs them at full size."""

from __future__ import annotations

from collections.abc import Iterable

from tests.soak import damage, patience, swaps
from tests.soak.figures import Figure, table


def check(figures: Iterable[Figure]) -> None:
    """All limits are kept."""
    seen = list(figures)
    assert all(figure.holds for figure in seen), f"\n{table(seen)}"


def test_bundles_take_each_others_place_while_requests_run():
    check(swaps.run(3))


def test_damaged_bundles_are_refused():
    check(damage.run(10))


def test_requests_that_nobody_waits_for_are_not_run():
    check(patience.run(100, 40))
