"""Exit status and messages of the command, most of them for what people mistype."""

import subprocess
import sys
from pathlib import Path

import pytest

from spritevae.__main__ import main
from tests.support import ROOT
from training import run_list

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


def test_a_missing_library_is_named_with_the_extras_that_have_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "training.run_list", None)  # importing it fails
    assert main(["runs"]) == 1
    errors = capsys.readouterr().err
    assert errors == "spritevae: error: training.run_list is missing: pip install 'spritevae[cpu,training]'\n"


def test_an_interrupted_command_has_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_list, "overview", interrupted)
    assert main(["runs"]) == 130


def test_output_that_nobody_reads_any_more_is_no_error() -> None:
    command = f"set -o pipefail; {sys.executable} -m spritevae train --list | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "argmax\n"


def test_importing_the_command_imports_nothing_slow() -> None:
    code = "import sys, spritevae.__main__; print({'argparse', 'numpy', 'torch', 'service'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
