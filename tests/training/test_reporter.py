"""What a run shows: scores, pictures and events."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support import resume
from training.data import open_dataset
from training.reporter import RunReporter
from training.runs import Run

ROWS = np.arange(12)


@pytest.fixture
def run(small_run: Run, tmp_path: Path) -> Run:
    """A copy of the small run."""
    copy = Run(tmp_path / "run")
    shutil.copytree(small_run.path, copy.path)
    return copy


def test_a_report_adds_validation_scores_to_the_row_and_draws_two_pictures(run: Run) -> None:
    for picture in (run.path / "pictures").iterdir():
        picture.unlink()
    row = RunReporter(run, open_dataset("dsprites")).report(run.load(), ROWS, {"step": 3, "train.loss": 7.0})
    assert (row["step"], row["train.loss"]) == (3, 7.0)
    assert 0 <= row["validation.accuracy.shape"] <= 1
    assert row["validation.reconstruction.bce"] > 0
    assert {file.name for file in (run.path / "pictures").iterdir()} == {"reconstructions.png", "traversals.png"}


def test_reports_are_written_as_events_while_the_reporter_is_open(run: Run) -> None:
    shutil.rmtree(run.path / "tensorboard")
    reporter = RunReporter(run, open_dataset("dsprites"))
    reporter.report(run.load(), ROWS, {"step": 1})
    assert not (run.path / "tensorboard").exists()
    with reporter.opened(0):
        reporter.report(run.load(), ROWS, {"step": 1})
    (events,) = (run.path / "tensorboard").iterdir()
    assert b"validation/reconstruction.bce" in events.read_bytes()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_model_whose_images_are_not_finite_is_an_error(run: Run) -> None:
    model = run.load()
    with torch.no_grad():
        for weights in model.parameters():
            weights.fill_(torch.nan)
    with pytest.raises(FloatingPointError):
        RunReporter(run, open_dataset("dsprites")).report(model, ROWS, {"step": 1})


def test_pictures_that_a_kill_at_the_end_left_out_are_drawn_by_the_same_command(run: Run, small_run: Run) -> None:
    for picture in ("scatter", "curves"):
        (run.path / "pictures" / f"{picture}.png").unlink()
    resume(run)
    assert {file.name for file in (run.path / "pictures").iterdir()} == {
        file.name for file in (small_run.path / "pictures").iterdir()
    }


def test_complete_pictures_of_an_unchanged_run_stay_as_they_are(run: Run) -> None:
    for file in (run.path / "pictures").iterdir():
        file.write_bytes(b"as before")
    RunReporter(run, open_dataset("dsprites")).finish(run.load(), ROWS, run.history, changed=False)
    assert {file.read_bytes() for file in (run.path / "pictures").iterdir()} == {b"as before"}
