from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.measure import Footprint, OrtBaseline, Plan, Sample
from benchmarks.protocols import COMMON_FORMS
from benchmarks.report import ORT, Results, Spread, noise, table
from benchmarks.servers import ALL_FORMS, BARE, OURS, PLAIN, SERVERS, Server

PLAN = Plan(seconds=4, rounds=3, connections=(1, 64), workers=2)
BEFORE = "spritevae@0123abc"
RATES = {OURS: (200.0, 300.0, 400.0), PLAIN: (100.0, 100.0, 400.0), "fastapi-batched": (50.0,) * 3, BARE: (9000.0,) * 3}
PEERS = [SERVERS[name] for name in RATES]


def sample(turn: int, server: str, form: str, connections: int, rate: float) -> Sample:
    """A measurement whose latencies follow from the rate: 10^6 / rate microseconds."""
    latency = round(1e6 / rate)
    return Sample(turn, server, form, connections, rate, latency, 3 * latency, 2 * latency, 0.25)


@pytest.fixture
def results() -> Results:
    """Three rounds, the same at all numbers of connections."""
    samples = [
        sample(turn, server, form, connections, rate)
        for server, rates in RATES.items()
        for turn, rate in enumerate(rates)
        for form in COMMON_FORMS
        for connections in PLAN.connections
    ]
    native = [OrtBaseline(turn, form, 1000.0, 32) for turn in range(3) for form in COMMON_FORMS]
    footprints = [
        Footprint(turn, server, seconds, 2**20) for turn in range(3) for server, seconds in ((OURS, 3.0), (PLAIN, 2.0))
    ]
    return Results("reference", "0123456789abcdef", samples, native, footprints)


@pytest.fixture
def compared(results: Results) -> tuple[Results, Plan, list[Server]]:
    """The same beside another checkout that is twice as fast in each round, with a form that peers don't answer."""
    own = [sample(turn, OURS, "edit", c, rate) for turn, rate in enumerate(RATES[OURS]) for c in PLAN.connections]
    samples = [*results.samples, *own]
    samples += [
        each._replace(server=BEFORE, rate=2 * each.rate, p50=each.p50 / 2, p99=each.p99 / 4, processor=each.processor)
        for each in samples
        if each.server == OURS
    ]
    footprints = [*results.footprints, *(Footprint(turn, BEFORE, 6.0, 2**21) for turn in range(3))]
    before = replace(SERVERS[OURS], name=BEFORE)
    plan = replace(PLAN, forms=(*COMMON_FORMS, "edit"))
    return replace(results, samples=samples, footprints=footprints, against=BEFORE), plan, [*PEERS, before]


def rows(text: str) -> list[tuple[str, list[str]]]:
    """Labels and cells of a table's lines."""
    lines = [(line[:36].strip(), line[36:].split("  ")) for line in text.splitlines()]
    return [(label, [cell.strip() for cell in cells if cell.strip()]) for label, cells in lines]


def test_rates_are_compared_within_each_round(results: Results) -> None:
    assert results.share(PLAIN, "decode", 64) == Spread(2, 1, 3)  # 200 / 100, 300 / 100, 400 / 400


def test_onnxruntime_is_compared_at_every_number_of_connections(results: Results) -> None:
    assert results.share(ORT, "encode", 1) == results.share(ORT, "encode", 64) == Spread(0.3, 0.2, 0.4)


def test_the_best_peer_is_the_fastest_that_serves_a_model(results: Results) -> None:
    assert results.best_peer("decode", 1) == PLAIN


def test_the_table_shows_medians_and_ranges_of_rates_and_ratios(results: Results) -> None:
    shown = dict(rows(table(results, PLAN, PEERS)))
    assert shown[OURS] == ["3.00 (3.00-3.00)", "1 (1-1)"]  # the last block: start and memory
    assert shown[f"{OURS} / best peer"] == ["2.00 (1.00-3.00)"] * 2
    assert shown[f"{OURS} / {PLAIN}"] == ["1.50 (1.50-1.50)", "1.00 (1.00-1.00)"]


def test_every_figure_is_compared_with_another_checkout_in_every_form(
    compared: tuple[Results, Plan, list[Server]],
) -> None:
    blocks = table(*compared).split("\n\n")[1:]
    assert [block.partition(":")[0] for block in blocks[:3]] == ["decode", "encode", "edit"]
    for block in blocks[:3]:
        shown = rows(block)
        start = shown.index((f"{OURS} / {BEFORE}", ["0.50 (0.50-0.50)"] * 2))
        assert shown[start + 1 : start + 4] == [
            ("p50", ["2.00 (2.00-2.00)"] * 2),
            ("p99", ["4.00 (4.00-4.00)"] * 2),
            ("us of processor", ["1.00 (1.00-1.00)"] * 2),
        ]
    assert dict(rows(blocks[3]))[f"{OURS} / {BEFORE}"] == ["0.50 (0.50-0.50)", "0.50 (0.50-0.50)"]


def test_another_checkout_is_no_peer(compared: tuple[Results, Plan, list[Server]]) -> None:
    assert compared[0].best_peer("decode", 1) == PLAIN
    assert compared[0].best_peer("edit", 1) is None


def test_forms_that_only_the_service_answers_are_not_compared_with_peers(
    compared: tuple[Results, Plan, list[Server]],
) -> None:
    assert "edit" in ALL_FORMS
    edit = table(*compared).split("\n\n")[3]
    assert PLAIN not in edit
    assert ORT not in edit


def test_the_share_of_other_processes_is_printed(results: Results) -> None:
    assert "25%" in noise([results])
