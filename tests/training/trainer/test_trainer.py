"""The training loop: bit-exact resume, interruption, divergence, and what a run folder holds."""

import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support import ROOT, DatasetView, resume, train
from training.data import open_dataset
from training.data.dataset import Batch, Rows
from training.losses import AdversarialLoss, Reconstruction
from training.runs import Run, RunError
from training.trainer.interrupt import Interrupted
from training.trainer.trainer import column_name, validation_rows

TRAIN = [sys.executable, "-m", "spritevae", "train", "softmax", "--data", "dsprites", "--threads", "1"]


def same_weights(a: Run, b: Run) -> bool:
    ours, theirs = a.load().state_dict(), b.load().state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


class Stopping(DatasetView):
    """dSprites that raise a signal when a batch is drawn for the n-th time."""

    def __init__(self, calls: int, number: int = signal.SIGINT) -> None:
        super().__init__(open_dataset("dsprites"))
        self._calls, self._number = calls, number

    def batch(self, rows: Rows) -> Batch:
        self._calls -= 1
        if self._calls == 0:
            os.kill(os.getpid(), self._number)
        return super().batch(rows)


class Poisoned(DatasetView):
    """dSprites with targets that are not finite in all training batches, of 32 rows, but the first ones."""

    def __init__(self, good_batches: int) -> None:
        super().__init__(open_dataset("dsprites"))
        self._good = good_batches

    def batch(self, rows: Rows) -> Batch:
        batch = super().batch(rows)
        if len(rows) != 32:
            return batch
        self._good -= 1
        return batch if self._good >= 0 else batch._replace(targets=batch.targets * np.float32(np.nan))


def interrupted_copy(run: Run, path: Path) -> Run:
    """A run with the same parameters, stopped half way."""
    copy = Run.create(path, run.parameters)
    with pytest.raises(Interrupted):
        resume(copy, Stopping(8), checkpoint_seconds=1e9)
    return copy


def test_a_run_that_was_interrupted_and_resumed_ends_with_the_same_weights(small_run: Run, tmp_path: Path) -> None:
    copy = interrupted_copy(small_run, tmp_path / "copy")
    assert not same_weights(small_run, copy)
    resume(copy)
    assert same_weights(small_run, copy)
    without_time = [{k: v for k, v in row.items() if k != "seconds"} for row in copy.history]
    assert without_time == [{k: v for k, v in row.items() if k != "seconds"} for row in small_run.history]


@pytest.mark.parametrize("stopped", [False, True])
def test_an_extended_run_goes_on_and_can_be_interrupted(small_run: Run, tmp_path: Path, stopped: bool) -> None:
    """Whether it was finished or stopped before, it ends with the same weights if it is stopped again, or not."""
    extended = []
    for name in ("whole", "again"):
        run = Run(tmp_path / name)
        if stopped:
            interrupted_copy(small_run, run.path)
        else:
            shutil.copytree(small_run.path, run.path)
        earlier = run.last_checkpoint()
        longer = {**run.parameters.settings, "images": 1280}
        Run.create(run.path, dataclasses.replace(run.parameters, settings=longer), extend=True)
        extended.append(run)
    whole, again = extended
    resume(whole)
    with pytest.raises(Interrupted):
        resume(again, Stopping(5), checkpoint_seconds=1e9)
    resume(again)
    assert same_weights(whole, again)
    assert not same_weights(whole, small_run)
    history = whole.history
    assert (history[-1]["images"], history[-1]["step"], whole.finished) == (1280, 20, True)
    assert history[: len(earlier["history"])] == earlier["history"] or stopped
    assert [row["step"] for row in history] == sorted({row["step"] for row in history})
    assert {"curves.png", "scatter.png"} <= {file.name for file in (whole.path / "pictures").iterdir()}
    # The schedule is that of 1280 images: half-way, where the first one had ended, the rate is high again.
    rates = {row["images"]: row["schedule.learning_rate"] for row in history}
    assert rates[704] > rates[1280]


def test_a_finished_run_is_not_trained_any_further(small_run: Run) -> None:
    before = (small_run.path / "checkpoint.pt").read_bytes()
    resume(small_run)
    assert (small_run.path / "checkpoint.pt").read_bytes() == before


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_run_that_diverges_keeps_its_last_good_checkpoint(small_run: Run, tmp_path: Path) -> None:
    settings = {**small_run.parameters.settings, "batch_size": 32, "images": 320}
    run = Run.create(tmp_path / "run", dataclasses.replace(small_run.parameters, settings=settings))
    with pytest.raises(RunError, match="diverged: no longer finite at step 6, of which nothing is saved"):
        resume(run, Poisoned(good_batches=5), checkpoint_seconds=0)
    kept = run.checkpoint()
    assert kept is not None
    assert kept["step"] == len(run.history) == 5
    assert all(weights.isfinite().all() for weights in kept["model"].values())


def test_two_processes_cannot_train_one_run(small_run: Run) -> None:
    with small_run.lock(), pytest.raises(RunError, match="another process"):
        resume(small_run)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_deterministic_run_on_cuda_resumes_exactly(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", "--data", "dsprites", "--device", "cuda", "--deterministic")
    copy = interrupted_copy(whole, tmp_path / "copy")
    resume(copy)
    assert same_weights(whole, copy)


def test_a_run_holds_parameters_history_checkpoint_pictures_and_event_files(small_run: Run) -> None:
    names = {str(file.relative_to(small_run.path)) for file in small_run.path.rglob("*") if file.is_file()}
    assert {"params.json", "history.json", "checkpoint.pt"} <= names
    assert {f"pictures/{name}.png" for name in ("reconstructions", "traversals", "scatter", "curves")} <= names
    assert any(name.startswith("tensorboard/events") for name in names)
    assert json.loads((small_run.path / "history.json").read_text())[-1]["images"] == 640


def test_a_checkpoint_has_the_keys_that_earlier_versions_wrote(small_run: Run) -> None:
    checkpoint = torch.load(small_run.path / "checkpoint.pt", weights_only=True)
    assert set(checkpoint) == {
        "step", "steps", "epochs", "sums", "images", "seconds", "model", "optimizer", "history",
    }  # fmt: skip


def test_a_loss_has_the_column_that_earlier_versions_wrote() -> None:
    assert column_name(Reconstruction()) == "reconstruction"
    assert column_name(AdversarialLoss(12.0)) == "leak"


@pytest.mark.parametrize(("images", "count"), [(640, 16), (20_000, 250), (11_000_000, 1024)])
def test_a_short_run_is_validated_on_few_rows_all_of_them_held_out(images: int, count: int) -> None:
    dataset = open_dataset("dsprites")
    rows = validation_rows(dataset, images, seed=0)
    assert len(set(rows)) == count
    assert dataset.held_out[rows].all()


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [*TRAIN, "--run", str(tmp_path / "run"), "--set", "images=1e6", "batch_size=32"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stderr is not None
    shown = b""
    while not re.search(rb"[1-9]\d*/1000000", shown):  # the progress bar counts images
        shown += os.read(process.stderr.fileno(), 4096)
        assert process.poll() is None, shown
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"The same command goes on from there" in errors
    checkpoint = Run.open(tmp_path / "run").checkpoint()
    assert checkpoint is not None
    assert 0 < checkpoint["step"] < checkpoint["steps"]


@pytest.mark.parametrize("then", ["removed", "replaced"])
def test_a_folder_that_is_removed_while_it_is_trained_ends_the_run_with_one_line(tmp_path: Path, then: str) -> None:
    folder = tmp_path / "run"
    options = ["--run", str(folder), "--set", "images=1e6", "batch_size=32", "--checkpoint-seconds", "0.1"]
    process = subprocess.Popen([*TRAIN, *options], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    while not (folder / "checkpoint.pt").exists():
        assert process.poll() is None
        time.sleep(0.02)
    parameters = Run(folder).parameters
    os.rename(folder, tmp_path / "moved")
    if then == "replaced":
        with Run.create(folder, parameters).lock():
            _, errors = process.communicate(timeout=120)
    else:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith(f"spritevae: error: {folder}: was removed, moved or replaced while it")
    assert sorted(file.name for file in folder.glob("*")) == ([] if then == "removed" else [".lock", "params.json"])


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    """Each process is killed with SIGKILL at most a tenth of the whole training time after it came to training."""
    options = ["--set", "images=40000", "batch_size=32"]
    undisturbed, killed = Run(tmp_path / "undisturbed"), Run(tmp_path / "killed")
    subprocess.run([*TRAIN, "--run", str(undisturbed.path), *options], check=True, capture_output=True, cwd=ROOT)
    longest = undisturbed.history[-1]["seconds"] / 10
    options += ["--checkpoint-seconds", f"{longest / 10:.3f}"]
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
        time.sleep(draw.uniform(0, longest))
        process.kill()
        process.wait()
        checkpoint = killed.checkpoint()
        steps.append(checkpoint["step"] if checkpoint else 0)
    assert steps == sorted(steps)
    assert steps[-1] > steps[0]
    subprocess.run([*TRAIN, "--run", str(killed.path), *options], check=True, capture_output=True, cwd=ROOT)
    assert same_weights(undisturbed, killed)
    print(f"killed ten times at steps {steps} of 1250: the same weights, bit for bit")
