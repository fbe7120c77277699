from pathlib import Path

import pytest

from spritevae.__main__ import main
from spritevae.commands.train import Training, train
from training import presets
from training.reproduce import loop_speed
from training.runs import Run

SMALL = ["--data", "dsprites", "--threads", "1"]


def test_the_presets_are_listed_with_their_settings(capsys: pytest.CaptureFixture) -> None:
    assert main(["train", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "softmax" in shown
    assert "batch_size=256" in shown


def test_a_grid_trains_a_run_for_every_combination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["train", "softmax", *SMALL, "--set", "images=64", "--grid", "batch_size=32,64", "label_share=0,1"]
    assert main(command) == 0
    runs = sorted(Path("runs/softmax").iterdir())
    assert [run.name for run in runs] == [
        f"dsprites-images=64-batch_size={size}-label_share={share}-seed=0" for size in (32, 64) for share in (0, 1)
    ]
    assert all(Run.open(run).finished for run in runs)
    assert capsys.readouterr().out.count("Trained: ") == 4


def test_the_run_keeps_the_command_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "my run"
    arguments = ["train", "softmax", *SMALL, "--run", str(path), "--set", "images=64", "batch_size=64"]
    assert main(arguments) == 0
    assert Run.open(path).parameters.command == (
        f"spritevae train softmax --data dsprites --threads 1 --run '{path}' --set images=64 batch_size=64"
    )
    assert f"Trained: {path}\n  spritevae evaluate {path}\n  spritevae export {path} -o BUNDLE\n" in (
        capsys.readouterr().out
    )


def test_labelled_only_leaves_out_the_other_rows(tmp_path: Path) -> None:
    settings = ["--set", "images=64", "batch_size=64"]
    command = ["train", "softmax", *SMALL, "--run", str(tmp_path / "run"), *settings, "--labels", "50"]
    assert main([*command, "--labelled-only"]) == 0
    dataset = Run.open(tmp_path / "run").dataset()
    assert (~dataset.held_out).sum() == 50


def test_a_run_is_extended_only_where_the_command_gives_a_number_of_images(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ["train", "softmax", *SMALL, "--run", str(tmp_path / "run"), "--set", "batch_size=32"]
    assert main([*command, "images=64"]) == 0
    capsys.readouterr()
    assert main(command) == 1, "the preset's default is larger, but nobody has asked for it"
    errors = capsys.readouterr().err.splitlines()
    assert errors[0].endswith("give another --run, or say --set images=N to train this one further")
    assert [line.split(":")[0] for line in errors[1:]] == ["  settings.images"]
    assert main([*command, "images=128"]) == 0
    assert Run.open(tmp_path / "run").history[-1]["images"] == 128
    assert main([*command, "images=64"]) == 1
    assert "has trained on 128 images already, more than images=64" in capsys.readouterr().err


def test_train_is_called_with_arguments_as_well(tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings: dict[str, presets.Setting] = {"images": 64, "batch_size": 64}
    training = Training(
        system="softmax", data="dsprites", command="again", settings=settings, run=run, seed=3, threads=1
    )
    assert train(training) == 0
    parameters = Run.open(run).parameters
    assert (parameters.seed, parameters.command, parameters.settings["images"]) == (3, "again", 64)


def test_the_benchmark_prints_its_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(loop_speed, "table", lambda device, threads: iter([device, str(threads)]))
    assert main(["train", "--benchmark", "--device", "cpu", "--threads", "3"]) == 0
    assert capsys.readouterr().out == "cpu\n3\n"
