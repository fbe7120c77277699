"""What people mistype, and what the command says of it."""

from pathlib import Path

import pytest

from spritevae.__main__ import main

TRAIN = ["train", "softmax", "--data", "dsprites"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "sofmax", "--data", "dsprites"], "there is: argmax, "),
        (["train", "softmax", "--data", "nowhere"], "no data at 'nowhere'; there is: dsprites"),
        ([*TRAIN, "--set", "beta=4"], "no setting 'beta'; it has: images="),
        ([*TRAIN, "--set", "images"], "settings are given as NAME=VALUE, got 'images'"),
        ([*TRAIN, "--set", "images=0"], "at least one image"),
        ([*TRAIN, "--set", "learning_rate=-1"], "a positive learning rate"),
        ([*TRAIN, "--set", "label_share=2"], "between 0 and 1"),
        ([*TRAIN, "--attribute", "hue=circular:36"], "has its own attributes"),
        ([*TRAIN, "--init", "nowhere"], "nowhere: no run here"),
        ([*TRAIN, "--labels", "many"], "neither a number of rows nor a text file"),
        ([*TRAIN, "--labelled-only"], "--labelled-only goes with --labels"),
        ([*TRAIN, "--grid", "beta=1,2"], "no setting 'beta'; it has: images="),
        ([*TRAIN, "--grid", "images=1,2", "--run", "x"], "--run names one"),
        (["train", "guided", "--data", "dsprites", "--set", "schedule=square"], "schedule takes sigmoid or cosine"),
        (["train", "guided", "--data", "dsprites", "--set", "label=colour"], "shape, scale, orientation, pos_x, pos_y"),
        (["evaluate", "nowhere", "--metrics", "mig", "mug"], "no metric 'mug'; there is: calibration, "),
        (["plot", "nowhere"], "neither a run nor a bundle"),
        (["runs", "--where", "beta=4"], "no run below runs has beta; there is: no run"),
        (["evaluate", "nowhere"], "neither a run nor a bundle"),
        (["export", "nowhere", "-o", "bundle"], "no run here"),
    ],
)
def test_a_wrong_argument_is_one_line_that_says_what_there_is(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize("arguments", [[], ["train"], [*TRAIN, "--threads", "-1"], [*TRAIN, "--seed", "x"], ["fly"]])
def test_an_unusable_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: spritevae" in capsys.readouterr().err


def test_the_presets_are_listed_with_their_settings(capsys: pytest.CaptureFixture) -> None:
    assert main(["train", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "softmax" in shown
    assert "batch_size=256" in shown
