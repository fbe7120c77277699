import dataclasses
from pathlib import Path

import pytest

from training.run_list import load_runs, overview
from training.runs import Run, RunError


def test_runs_are_found_by_their_parameters(small_run: Run, tmp_path: Path) -> None:
    for seed in (0, 1):
        Run.create(tmp_path / str(seed), dataclasses.replace(small_run.parameters, seed=seed))
    assert [run.path.name for run in load_runs(root=tmp_path)] == ["0", "1"]
    assert [run.path.name for run in load_runs({"seed": "1", "images": 640}, tmp_path)] == ["1"]
    assert load_runs({"system": "guided"}, tmp_path) == []
    with pytest.raises(RunError, match="has beta; there is: batch_size, cycle_share, data"):
        load_runs({"beta": 4}, tmp_path)


def test_a_run_of_an_earlier_version_is_found_under_old_and_new_names(small_run: Run, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", small_run.parameters)
    assert [found.path for found in load_runs({"between_share": 0.05, "cycle_share": 0.0625}, tmp_path)] == [run.path]


def test_an_overview_shows_what_differs(small_run: Run, tmp_path: Path) -> None:
    other = Run.create(tmp_path / "other", dataclasses.replace(small_run.parameters, seed=7))
    lines = overview([small_run, other]).splitlines()
    assert lines[0].split() == ["run", "seed", "images", "minutes", "train", "loss", "nats"]
    assert [line.split()[1:3] for line in lines[1:]] == [["0", "640"], ["7", "0"]]
    assert overview([]) == "no run"
