import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from spritevae.__main__ import main
from training import presets
from training.evaluation import rows_to_score
from training.metrics import SET_METRICS
from training.reproduce.experiments import EXPERIMENTS, Experiment, named, score_run, scored
from training.runs import SCORES, Run


def test_every_experiment_can_be_begun() -> None:
    for experiment in EXPERIMENTS:
        presets.settings(experiment.system, experiment.settings)
        assert set(experiment.metrics) <= set(SET_METRICS)
    assert len({experiment.name for experiment in EXPERIMENTS}) == len(EXPERIMENTS)


def test_every_preset_has_an_experiment() -> None:
    assert {experiment.system for experiment in EXPERIMENTS} == set(presets.names())


def test_an_experiment_says_the_command_that_trains_it() -> None:
    few = next(each for each in EXPERIMENTS if each.name == "few-labelled-2")
    assert few.command == (
        "spritevae train softmax --data dsprites --set images=200000 --labels 1000 --labelled-only --seed 2"
    )


def test_an_experiment_that_goes_on_from_another_stands_behind_it() -> None:
    names = [each.name for each in EXPERIMENTS]
    for each in EXPERIMENTS:
        if each.init:
            assert each.init in names[: names.index(each.name)]
            assert each.command.endswith(f" --init runs/reproduce/{each.init}")


def test_an_unknown_experiment_lists_what_there_is(capsys: pytest.CaptureFixture) -> None:
    assert main(["reproduce", "everything"]) == 1
    assert "no experiment 'everything'; there is: guided, " in capsys.readouterr().err
    assert named([]) == list(EXPERIMENTS)


def test_a_run_is_scored_once(small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(small_run.path, run.path)
    monkeypatch.setattr("training.reproduce.experiments.ROWS", 50)
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


def test_rows_that_were_trained_on_are_a_set_of_their_own(small_run: Run) -> None:
    dataset = small_run.dataset()
    sets = rows_to_score(dataset, also_training=True, at_most=500)
    assert not dataset.held_out[sets["trained on"]].any()
