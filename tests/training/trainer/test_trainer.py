import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support import ROOT, train
from training.data import open_dataset
from training.data.dataset import Batch, Rows
from training.runs import Run, RunError
from training.trainer import trainer

TRAIN = [sys.executable, "-m", "spritevae", "train", "softmax", "--data", "dsprites", "--threads", "1"]


def same_weights(a: Run, b: Run) -> bool:
    ours, theirs = a.load().state_dict(), b.load().state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


class Stopping:
    """A source that raises a signal when a batch is drawn for the n-th time."""

    def __init__(self, calls: int, number: int = signal.SIGINT) -> None:
        self._source, self._calls, self._number = open_dataset("dsprites"), calls, number

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def __len__(self) -> int:
        return len(self._source)

    def batch(self, rows: Rows) -> Batch:
        self._calls -= 1
        if self._calls == 0:
            os.kill(os.getpid(), self._number)
        return self._source.batch(rows)


def interrupted_copy(run: Run, path: Path) -> Run:
    """A run with the same parameters, stopped half way."""
    copy = Run.create(path, run.parameters)
    with pytest.raises(trainer.Interrupted):
        trainer.train(copy, Stopping(8), checkpoint_seconds=1e9)
    return copy


def test_a_run_that_was_interrupted_and_resumed_ends_with_the_same_weights(small_run: Run, tmp_path: Path) -> None:
    copy = interrupted_copy(small_run, tmp_path / "copy")
    assert not same_weights(small_run, copy)
    trainer.train(copy, open_dataset("dsprites"))
    assert same_weights(small_run, copy)
    without_time = [{k: v for k, v in row.items() if k != "seconds"} for row in copy.history]
    assert without_time == [{k: v for k, v in row.items() if k != "seconds"} for row in small_run.history]


def test_a_finished_run_is_not_trained_any_further(small_run: Run) -> None:
    before = (small_run.path / "checkpoint.pt").read_bytes()
    trainer.train(small_run, open_dataset("dsprites"))
    assert (small_run.path / "checkpoint.pt").read_bytes() == before


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_run_that_diverges_keeps_its_last_good_checkpoint(small_run: Run, tmp_path: Path) -> None:
    settings = {**small_run.parameters.settings, "learning_rate": 1e12}
    run = Run.create(tmp_path / "wild", dataclasses.replace(small_run.parameters, settings=settings))
    with pytest.raises(RunError, match="diverged"):
        trainer.train(run, open_dataset("dsprites"), checkpoint_seconds=0)
    kept = run.checkpoint()
    assert kept is None or all(weights.isfinite().all() for weights in kept["model"].values())


def test_two_processes_cannot_train_one_run(small_run: Run) -> None:
    with small_run.lock(), pytest.raises(RunError, match="another process"):
        trainer.train(small_run, open_dataset("dsprites"))


def test_other_parameters_are_refused_and_listed(small_run: Run) -> None:
    other = dataclasses.replace(small_run.parameters, seed=1, settings={**small_run.parameters.settings, "images": 1})
    with pytest.raises(
        RunError, match=r"(?s)settings: .*'images': 640.* there, .*'images': 1.* now\n.*seed: 0 there, 1 now"
    ):
        Run.create(small_run.path, other)


def test_held_out_rows_are_never_drawn() -> None:
    dataset = open_dataset("dsprites")
    out = dataset.held_out
    rows = (~out).nonzero()[0]
    order = trainer.BatchSampler(rows, np.ones(len(rows), np.bool_), 1000, seed=0)
    drawn = [order(step) for step in (0, 1, 700)]
    assert not any(out[rows].any() for rows in drawn)
    assert not set(drawn[0]) & set(drawn[1])


def test_an_epoch_shows_every_row_once() -> None:
    rows = (~open_dataset("dsprites").held_out).nonzero()[0][:100]
    order = trainer.BatchSampler(rows, np.ones(100, np.bool_), 20, seed=3)
    assert order.steps == 5
    assert sorted(row for step in range(5) for row in order(step)) == sorted(rows)
    assert [*order(0)] != [*order(5)]


def test_few_labelled_rows_are_a_quarter_of_every_batch() -> None:
    rows, labelled = np.arange(1000), np.arange(1000) < 10
    order = trainer.BatchSampler(rows, labelled, 20, seed=3)
    batches = [order(step) for step in range(order.steps)]
    assert all((batch[:5] < 10).all() for batch in batches)
    assert sorted(np.concatenate([batch[:5] for batch in batches[:2]])) == [*range(10)]
    assert len(set(np.concatenate([batch[5:] for batch in batches]))) == order.steps * 15


def test_a_single_labelled_row_is_in_every_batch() -> None:
    order = trainer.BatchSampler(np.arange(100), np.arange(100) == 42, 20, seed=0)
    assert [order(step)[0] for step in range(4)] == [42] * 4


def test_init_starts_from_the_weights_of_another_run(small_run: Run, tmp_path: Path) -> None:
    further = train(tmp_path / "further", "--data", "dsprites", "--init", str(small_run.path), images=64)
    fresh = train(tmp_path / "fresh", "--data", "dsprites", images=64)
    assert further.history[0]["train.loss"] < fresh.history[0]["train.loss"]


def test_init_says_which_weights_do_not_fit(
    small_run: Run, sprites: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    train(tmp_path / "other", "--data", str(sprites), "--init", str(small_run.path), images=64)
    assert "space.heads.weight" in capfd.readouterr()[0]


def test_cuda_that_is_not_there_is_refused_with_the_reason() -> None:
    if torch.cuda.is_available():
        pytest.skip("has CUDA")
    with pytest.raises(RunError, match="no CUDA device"):
        trainer.resolve_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_deterministic_run_on_cuda_resumes_exactly(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", "--data", "dsprites", "--device", "cuda", "--deterministic")
    copy = interrupted_copy(whole, tmp_path / "copy")
    trainer.train(copy, open_dataset("dsprites"))
    assert same_weights(whole, copy)


def test_a_run_holds_parameters_history_checkpoint_pictures_and_event_files(small_run: Run) -> None:
    names = {str(file.relative_to(small_run.path)) for file in small_run.path.rglob("*") if file.is_file()}
    assert {"params.json", "history.json", "checkpoint.pt"} <= names
    assert {f"pictures/{name}.png" for name in ("reconstructions", "traversals", "scatter", "curves")} <= names
    assert any(name.startswith("tensorboard/events") for name in names)
    assert json.loads((small_run.path / "history.json").read_text())[-1]["images"] == 640


def test_pictures_that_a_kill_at_the_end_left_out_are_drawn_by_the_same_command(small_run: Run, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(small_run.path, run.path)
    for picture in ("scatter", "curves"):
        (run.path / "pictures" / f"{picture}.png").unlink()
    trainer.train(run, open_dataset("dsprites"))
    assert {file.name for file in (run.path / "pictures").iterdir()} == {
        file.name for file in (small_run.path / "pictures").iterdir()
    }


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [*TRAIN, "--run", str(tmp_path / "run"), "--set", "images=1e6", "batch_size=32"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, text=True)
    while not list(tmp_path.glob("run/tensorboard/events*")):
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command goes on from there" in errors
    assert Run.open(tmp_path / "run").checkpoint()["step"] > 0


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    """Each process is killed with SIGKILL between 0 and 3 seconds after it came to training."""
    options = ["--set", "images=40000", "batch_size=32", "--checkpoint-seconds", "0.3"]
    undisturbed, killed = Run(tmp_path / "undisturbed"), Run(tmp_path / "killed")
    subprocess.run([*TRAIN, "--run", str(undisturbed.path), *options], check=True, capture_output=True, cwd=ROOT)
    draw = random.Random(0)
    steps = []
    for _ in range(10):
        seen = len(list(killed.path.glob("tensorboard/events*")))
        process = subprocess.Popen(
            [*TRAIN, "--run", str(killed.path), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        while len(list(killed.path.glob("tensorboard/events*"))) == seen and process.poll() is None:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 3))
        assert process.poll() is None, "it ended before it could be killed: train for longer"
        process.kill()
        process.wait()
        checkpoint = killed.checkpoint()
        steps.append(checkpoint["step"] if checkpoint else 0)
    assert steps == sorted(steps)
    assert steps[-1] > steps[0]
    subprocess.run([*TRAIN, "--run", str(killed.path), *options], check=True, capture_output=True, cwd=ROOT)
    assert same_weights(undisturbed, killed)
    print(f"killed ten times at steps {steps} of 1250: the same weights, bit for bit")
