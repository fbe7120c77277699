import json
import shutil
from pathlib import Path

import pytest

from spritevae.__main__ import main
from training import presets
from training.evaluation import rows_to_score
from training.metrics import SET_METRICS
from training.reproduction import EXPERIMENTS, SCORES, Experiment, named, score_run, write_table
from training.runs import Run


def test_every_experiment_can_be_begun() -> None:
    for experiment in EXPERIMENTS:
        presets.settings(experiment.system, experiment.settings)
        assert set(experiment.metrics) <= set(SET_METRICS)
    assert len({experiment.name for experiment in EXPERIMENTS}) == len(EXPERIMENTS)


def test_an_experiment_says_the_command_that_trains_it() -> None:
    few = next(each for each in EXPERIMENTS if each.name == "few-labelled-2")
    assert few.command == (
        "spritevae train softmax --data dsprites --set images=200000 --labels 1000 --labelled-only --seed 2"
    )


def test_an_unknown_experiment_lists_what_there_is(capsys: pytest.CaptureFixture) -> None:
    assert main(["reproduce", "everything"]) == 1
    assert "no experiment 'everything'; there is: guided, " in capsys.readouterr().err
    assert named([]) == list(EXPERIMENTS)


def test_a_run_is_scored_once(small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(small_run.path, run.path)
    monkeypatch.setattr("training.reproduction.ROWS", 50)
    experiment = Experiment(
        name="x", system="softmax", data="dsprites", published="", shown=("accuracy.shape",), training_too=True
    )
    score_run(run, experiment)
    scores = json.loads((run.path / SCORES).read_text())["scores"]
    assert list(scores) == ["held out", "trained on"]
    assert scores["trained on"]["accuracy.shape"]["rows"] == 50
    before = (run.path / SCORES).stat().st_mtime_ns
    score_run(run, experiment)
    assert (run.path / SCORES).stat().st_mtime_ns == before


def test_the_table_has_finished_experiments_and_the_spread_of_few_labels(small_run: Run, tmp_path: Path) -> None:
    """Means .8, .9 against .5, .5: standard deviations .0707 and 0."""
    accuracies = {"few-both-0": 0.8, "few-both-1": 0.9, "few-labelled-0": 0.5, "few-labelled-1": 0.5}
    for name, accuracy in accuracies.items():
        shutil.copytree(small_run.path, tmp_path / name)
        score = {"mean": accuracy, "low": accuracy - 0.01, "high": accuracy + 0.01, "rows": 100}
        names = next(each for each in EXPERIMENTS if each.name == name).shown
        (tmp_path / name / SCORES).write_text(json.dumps({"scores": {"held out": dict.fromkeys(names, score)}}))
    write_table(tmp_path, tmp_path / "docs" / "systems.md")
    text = (tmp_path / "docs" / "systems.md").read_text()
    assert "accuracy.shape 0.8 ± 0.01" in text
    assert "| labelled and unlabelled | 0.8000, 0.9000 | 0.8500 | 0.0707 |" in text
    assert "| labelled only | 0.5000, 0.5000 | 0.5000 | 0.0000 |" in text
    assert "guided" not in text.split("---")[-1]


def test_rows_that_were_trained_on_are_a_set_of_their_own(small_run: Run) -> None:
    source = small_run.source()
    sets = rows_to_score(source, also_training=True, at_most=500)
    assert not source.held_out[sets["trained on"]].any()
