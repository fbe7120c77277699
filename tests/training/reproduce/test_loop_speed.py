import pytest

from training.reproduce import loop_speed
from training.runs import RunError


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measurements that are short, and so not exact."""
    for name, value in (("SECONDS", 0.5), ("WARM_UP", 2), ("ROWS", 512), ("ROUNDS", 1), ("RENDERED", 64)):
        monkeypatch.setattr(loop_speed, name, value)


@pytest.mark.usefixtures("short")
def test_both_loops_train_the_published_network() -> None:
    assert loop_speed.plain(64, "cpu", 1) > 0
    assert loop_speed.own(64, "cpu", 1) > 0


def test_a_loop_that_fails_is_told_in_one_line() -> None:
    with pytest.raises(RunError, match=r"^the loop 'loop' failed: .*[^\n]+$"):
        loop_speed.speed_in_new_process("loop", 0, "cpu", 1)


@pytest.mark.usefixtures("short")
def test_rendering_has_a_speed() -> None:
    assert loop_speed.rendering_speed() > 0


def test_a_row_has_both_speeds_and_the_median_of_the_turns_ratios() -> None:
    row = loop_speed.table_row(64, plain_speeds=[100, 200, 100], own_speeds=[300, 500, 200])
    assert row.split() == ["64", "100", "300", "2.50", "3.00", "2.50", "2.00"]


@pytest.mark.usefixtures("short")
def test_the_table_has_a_row_for_each_batch_size_and_one_for_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_speed, "speed_in_new_process", lambda *_: 1000.0)
    *_, first, second, rendering = loop_speed.table("cpu", 1)
    assert [row.split()[:4] for row in (first, second)] == [
        ["64", "1,000", "1,000", "1.00"],
        ["256", "1,000", "1,000", "1.00"],
    ]
    assert rendering.startswith("dSprites are rendered at ")
    assert rendering.endswith(" images/s on one thread")
