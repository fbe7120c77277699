import json
from dataclasses import replace
from pathlib import Path

import pytest

from spritevae.__main__ import main
from training.reproduce import experiment as experiment_module
from training.reproduce import experiments, report
from training.reproduce.experiments import SUPERVISED
from training.runs import SCORES, Run

FIRST = replace(SUPERVISED[0], name="first", settings={"images": 64, "batch_size": 64}, metrics=())
SECOND = replace(FIRST, name="second", init="first", seed=2)


def test_an_unknown_experiment_lists_what_there_is(capsys: pytest.CaptureFixture) -> None:
    assert main(["reproduce", "everything"]) == 1
    assert "no experiment 'everything'; there is: guided, " in capsys.readouterr().err


def test_experiments_are_trained_with_their_arguments_scored_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for module in (experiments, report):
        monkeypatch.setattr(module, "EXPERIMENTS", (FIRST, SECOND))
    monkeypatch.setattr(experiment_module, "ROWS", 20)
    root, table = tmp_path / "runs", tmp_path / "docs" / "systems.md"
    command = ["reproduce", "--root", str(root), "--output", str(table), "--threads", "1"]
    assert main(command) == 0
    assert f"second: {SECOND.command}\n" in capsys.readouterr().out
    parameters = Run.open(root / "second").parameters
    assert (parameters.seed, parameters.init, parameters.command) == (2, str(root / "first"), SECOND.command)
    assert (root / "second" / SCORES).exists()
    assert list(json.loads(table.with_suffix(".json").read_text())) == ["first", "second"]

    checkpoint = (root / "first" / "checkpoint.pt").read_bytes()
    assert main(command) == 0
    assert (root / "first" / "checkpoint.pt").read_bytes() == checkpoint, "a finished run is left alone"


def test_a_data_set_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "EXPERIMENTS", (replace(FIRST, data="mnist"),))
    command = ["reproduce", "--root", str(tmp_path), "--output", str(tmp_path / "systems.md")]
    assert main([*command, "--data", "mnist=nowhere/at/all"]) == 1
    assert not (tmp_path / "first").exists()
