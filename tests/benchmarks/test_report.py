from __future__ import annotations

import pytest

from benchmarks.measure import Footprint, Native, Plan, Sample
from benchmarks.protocols import HALVES
from benchmarks.report import NATIVE, Results, Spread, noise, table
from benchmarks.servers import BARE, OURS, PLAIN, SERVERS

PLAN = Plan(seconds=4, rounds=3, connections=(1, 64), workers=2)
RATES = {OURS: (200.0, 300.0, 400.0), PLAIN: (100.0, 100.0, 400.0), "fastapi-batched": (50.0,) * 3, BARE: (9000.0,) * 3}


@pytest.fixture
def results() -> Results:
    """Three rounds, the same at all numbers of connections."""
    samples = [
        Sample(turn, server, half, connections, rate, 640, 1900, 1000, 0.25)
        for server, rates in RATES.items()
        for turn, rate in enumerate(rates)
        for half in HALVES
        for connections in PLAN.connections
    ]
    native = [Native(turn, half, 1000.0, 32) for turn in range(3) for half in HALVES]
    weighed = [
        Footprint(turn, server, seconds, 2**20) for turn in range(3) for server, seconds in ((OURS, 3.0), (PLAIN, 2.0))
    ]
    return Results("reference", "0123456789abcdef", samples, native, weighed)


def test_rates_are_compared_within_each_round(results: Results) -> None:
    assert results.share(PLAIN, "decode", 64) == Spread(2, 1, 3)  # 200 / 100, 300 / 100, 400 / 400


def test_onnxruntime_is_compared_at_every_number_of_connections(results: Results) -> None:
    assert results.share(NATIVE, "encode", 1) == results.share(NATIVE, "encode", 64) == Spread(0.3, 0.2, 0.4)


def test_the_best_peer_is_the_fastest_that_serves_a_model(results: Results) -> None:
    assert results.best_peer("decode", 1) == PLAIN


def test_the_table_shows_medians_and_ranges_of_rates_and_ratios(results: Results) -> None:
    lines = {
        line[:36].strip(): line[36:].split("  ")
        for line in table(results, PLAN, [*map(SERVERS.get, RATES)]).splitlines()
    }
    shown = {label: [cell.strip() for cell in cells if cell.strip()] for label, cells in lines.items()}
    assert shown[OURS] == ["3.00 (3.00-3.00)", "1 (1-1)"]  # the last block: start and memory
    assert shown[f"{OURS} / best peer"] == ["2.00 (1.00-3.00)"] * 2
    assert shown[f"{OURS} / {PLAIN}"] == ["1.50 (1.50-1.50)", "1.00 (1.00-1.00)"]


def test_it_says_how_much_of_the_machine_something_else_took(results: Results) -> None:
    assert "25%" in noise([results])
