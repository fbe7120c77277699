import pytest

from training.reproduce import loop_speed


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SECONDS", 0.5), ("WARM_UP", 2), ("ROWS", 512)):
        monkeypatch.setattr(loop_speed, name, value)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("measure", [loop_speed.plain, loop_speed.own])
def test_both_loops_train_the_published_network(measure: object) -> None:
    assert callable(measure)
    assert 10 < measure(64, "cpu", 1) < 1e6


def test_the_table_has_both_speeds_and_the_median_of_the_turns_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = iter([100, 300, 200, 500, 100, 200] * 2)
    monkeypatch.setattr(loop_speed, "ROUNDS", 3)
    monkeypatch.setattr(loop_speed, "_measured", lambda *_: next(speeds))
    *_, first, last = loop_speed.table("cpu", 1)
    assert first.split() == ["64", "100", "300", "2.50", "3.00", "2.50", "2.00"]
    assert last.split()[0] == "256"
