import json
import shutil
from pathlib import Path

import pytest

from export import speed
from export.manifest import Manifest
from training.runs import SPEEDS, Run


def test_both_graphs_are_timed_beside_the_reference(
    small_bundle: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "TURNS", 3)
    monkeypatch.setattr(speed, "SECONDS", 0.005)
    measured = list(speed.speeds(speed.graphs(small_bundle[0])))
    assert [(each.graph, each.batch) for each in measured] == [
        ("encoder", 1), ("encoder", 32), ("decoder", 1), ("decoder", 32),
    ]  # fmt: skip
    assert all(0 < each.microseconds < 1e5 and 0 < each.share < 100 for each in measured)
    assert len(speed.table(measured).splitlines()) == 6


def test_the_reference_takes_as_long_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "BATCHES", (32,))
    assert all(each.share == pytest.approx(1, abs=0.25) for each in speed.speeds(speed.reference()))


def test_a_run_is_timed_once(small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "TURNS", 1)
    monkeypatch.setattr(speed, "SECONDS", 0.005)
    shutil.copytree(small_run.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    speed.time_run(run)
    kept = (run.path / SPEEDS).read_bytes()
    assert set(json.loads(kept)) == {f"speed.{half}.{batch}" for half in ("encoder", "decoder") for batch in (1, 32)}
    speed.time_run(run)
    assert (run.path / SPEEDS).read_bytes() == kept
