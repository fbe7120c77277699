"""Each scenario in a quick form; ``make soak`` runs them at full size."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.soak import (
    bombing,
    damage,
    ending,
    flooding,
    forging,
    fuzzing,
    killing,
    leaking,
    overload,
    patience,
    picturing,
    siege,
    speaking,
    stalling,
    swaps,
)
from tests.soak.bombs import BOMBS
from tests.soak.figures import Figure, table
from tests.soak.flooding import FLOODS


def check(figures: Iterable[Figure]) -> None:
    """All limits are kept."""
    seen = list(figures)
    assert all(figure.holds for figure in seen), f"\n{table(seen)}"


def test_bundles_take_each_others_place_while_requests_run():
    check(swaps.run(3))


def test_damaged_bundles_are_refused():
    check(damage.run(10))


@pytest.mark.slow
def test_forged_bundles_are_refused_or_served_and_the_next_good_one_is_taken():
    check(forging.run(20))


def test_requests_that_nobody_waits_for_are_not_run():
    check(patience.run(60, 40))


def test_no_request_is_lost_when_the_service_ends_under_load():
    check(ending.run(1, 0.5, workers="2", blind=0))


def test_only_what_a_killed_worker_had_on_its_hands_fails():
    check(killing.run(2, 0.3))


def test_bombs_are_refused_without_memory():
    check(bombing.run(BOMBS, 3, apart=False, judged=False))


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_take_no_memory(kind: str):
    check(flooding.run([kind], 5))


def test_malformed_requests_are_refused_and_the_service_is_as_it_was():
    pytest.importorskip("schemathesis")
    check(fuzzing.run(200, 1))


@pytest.mark.slow
def test_whatever_clients_say_in_http_others_are_answered_and_memory_comes_back():
    check(speaking.run(60, judged=False))


@pytest.mark.slow
def test_whatever_files_clients_send_others_are_answered_and_memory_comes_back():
    # A minute is not enough for 20 MB: heaps still fill.
    check(picturing.run(60, judged=False, most=60))


def test_clients_that_stall_do_not_hold_others_up():
    check(stalling.run(300, 300, 3))


def test_good_requests_are_answered_beside_all_attacks_at_once():
    check(siege.run(5, 60, judged=False))


def test_too_many_requests_are_refused_and_others_answered():
    check(overload.run(1, 1, 0.5, judged=False))


def test_memory_does_not_grow_with_requests_and_a_leak_is_told():
    # So few are not enough for a megabyte: heaps and pools still fill.
    check(leaking.run(5000, 1000, warm=0.6, connections=1, most=6))
