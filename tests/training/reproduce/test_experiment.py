import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from training.reproduce import experiment as experiment_module
from training.reproduce.experiment import Experiment, score_run, scored
from training.reproduce.experiments import EXPERIMENTS
from training.runs import SCORES, Run


def test_an_experiment_says_the_command_that_trains_it() -> None:
    few = next(each for each in EXPERIMENTS if each.name == "few-labelled-2")
    assert few.command == (
        "spritevae train softmax --data dsprites --set images=200000 --labels 1000 --labelled-only --seed 2"
    )


def test_a_run_is_scored_once_on_the_rows_asked_for(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(small_run.path, run.path)
    monkeypatch.setattr(experiment_module, "ROWS", 50)
    experiment = Experiment(
        name="x",
        system="softmax",
        data="dsprites",
        published="",
        protocol="",
        shown=("accuracy.shape",),
        training_too=True,
    )
    assert not scored(run, experiment)
    score_run(run, experiment)
    assert scored(run, replace(experiment, settings={"images": 640, "batch_size": 64}))
    assert not scored(run, experiment), "a run with other settings is another experiment's"
    scores = json.loads((run.path / SCORES).read_text())["scores"]
    assert list(scores) == ["held out", "trained on"]
    assert scores["trained on"]["accuracy.shape"]["rows"] == 50
    before = (run.path / SCORES).stat().st_mtime_ns
    score_run(run, experiment)
    assert (run.path / SCORES).stat().st_mtime_ns == before
