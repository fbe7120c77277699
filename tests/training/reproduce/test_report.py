"""The tables, written from results that are made up here."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.reproduce import report
from training.reproduce.experiments import DESIGNS, EXPERIMENTS, FEW_LABELS, LEAKS, SHIPPED, SUPERVISED
from training.reproduce.report import write_table
from training.runs import SCORES, Run


def result(**figures: str) -> dict[str, Any]:
    named = {name.replace("__", "."): figure for name, figure in figures.items()}
    return {"command": "spritevae train x", "images": 64, "seconds": 90.0, "hardware": "a CPU", "figures": named}


def written(results: dict[str, Any], folder: Path) -> str:
    """The tables of results that the JSON file has of other machines."""
    (folder / "systems.json").write_text(json.dumps(results))
    write_table(folder / "no runs", folder / "systems.md")
    return (folder / "systems.md").read_text()


def test_every_preset_has_one_row(tmp_path: Path) -> None:
    """That of its first experiment; the others stand in tables of their own."""
    figures = result(accuracy__all="0.5 ± 0.1", reconstruction__bce="60 ± 1")
    text = written({each.name: figures for each in (*SUPERVISED, *LEAKS)}, tmp_path)
    rows = [line for line in text.partition("## ")[0].splitlines() if line.endswith("| `spritevae train x` |")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [
        "multi_level", "multi_level_detached", *(each.system for each in SUPERVISED),
    ]  # fmt: skip
    assert "| accuracy.all 0.5 ± 0.1<br>reconstruction.bce 60 ± 1 |" in rows[-1]
    assert "| 64 | 2 on a CPU |" in rows[-1]


def test_spaces_stand_side_by_side(tmp_path: Path) -> None:
    spaces = {each.name: result(accuracy__all="0.5 ± 0.1", decode__iou="0.8") for each in SUPERVISED[:2]}
    text = written(spaces, tmp_path)
    assert "| experiment | accuracy.all | accuracy.orientation.merged | decode.iou |" in text
    assert "| space-softmax | 0.5 ± 0.1 |  | 0.8 |" in text


def test_few_labels_have_means_and_standard_deviations(tmp_path: Path) -> None:
    """Means .8, .9 against .5, .5: standard deviations .0707 and 0."""
    accuracies = {"few-both-0": 0.8, "few-both-1": 0.9, "few-labelled-0": 0.5, "few-labelled-1": 0.5}
    few = {
        name: result(**{score.replace(".", "__"): f"{accuracy} ± 0.01" for score in FEW_LABELS[0].shown})
        for name, accuracy in accuracies.items()
    }
    text = written(few, tmp_path)
    assert "| labelled and unlabelled | 0.8000, 0.9000 | 0.8500 | 0.0707 |" in text
    assert "| labelled only | 0.5000, 0.5000 | 0.5000 | 0.0000 |" in text


def test_leaks_stand_beside_reconstruction_as_a_share_of_the_plain_vae_s(tmp_path: Path) -> None:
    leaks = {
        "multi_level": result(reconstruction__bce="66 ± 1", classification__style__single="0.25"),
        "multi_level-plain": result(reconstruction__bce="60 ± 1"),
    }
    text = written(leaks, tmp_path)
    weight = LEAKS[0].settings.get("leak_weight", 12)
    assert f"| {weight:.1f} | 0 | 1.100 | 66 ± 1 |  | 0.25 |" in text
    assert "| plain VAE | 0 | 1.000 | 60 ± 1 |  |  |" in text


def test_runs_that_are_finished_take_the_place_of_what_was_kept(small_run: Run, tmp_path: Path) -> None:
    """Their figures with half the interval; a run with other settings than the experiment's does not."""
    experiment = SUPERVISED[0]
    shutil.copytree(small_run.path, tmp_path / experiment.name)
    score = {"mean": 0.8, "low": 0.79, "high": 0.81, "rows": 100}
    (tmp_path / experiment.name / SCORES).write_text(json.dumps({"scores": {"held out": {"accuracy.all": score}}}))
    (tmp_path / "systems.json").write_text(json.dumps({experiment.name: result(accuracy__all="0.1")}))
    write_table(tmp_path, tmp_path / "systems.md")
    assert "accuracy.all 0.1 |" in (tmp_path / "systems.md").read_text()
    own = replace(experiment, settings={"images": 640, "batch_size": 64})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "EXPERIMENTS", (own, *EXPERIMENTS[1:]))
        write_table(tmp_path, tmp_path / "systems.md")
    assert "accuracy.all 0.8 ± 0.01 | " in (tmp_path / "systems.md").read_text()


def test_pictures_of_runs_are_kept_beside_the_tables(small_run: Run, tmp_path: Path) -> None:
    experiment = replace(SUPERVISED[0], settings={"images": 640, "batch_size": 64}, pictures=("scatter.png",))
    run, file = tmp_path / "runs" / experiment.name, tmp_path / "docs" / "systems.md"
    shutil.copytree(small_run.path, run)
    (run / SCORES).write_text(json.dumps({"scores": {"held out": {}}}))
    for root in (tmp_path / "runs", tmp_path / "no runs"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(report, "EXPERIMENTS", (experiment,))
            write_table(root, file)
        assert f"![{experiment.name}](systems/{experiment.name}-scatter.png)" in file.read_text()
    kept = file.with_suffix("") / f"{experiment.name}-scatter.png"
    assert kept.read_bytes() == (run / "pictures" / "scatter.png").read_bytes()


def test_what_is_missed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = replace(EXPERIMENTS[0], missed="the peak, as it is not scored.")
    monkeypatch.setattr(report, "EXPERIMENTS", (first, *EXPERIMENTS[1:]))
    assert "- guided: the peak, as it is not scored." in written({first.name: result()}, tmp_path)
    assert "not reproduced" not in written({EXPERIMENTS[1].name: result()}, tmp_path)


def test_designs_stand_beside_the_time_that_their_graphs_take(tmp_path: Path) -> None:
    designs = {
        each.name: result(decode__iou=f"0.9{i} ± 0.01", speed__decoder__32=f"{200 - i} (0.5)")
        for i, each in enumerate(DESIGNS[:2])
    }
    designs[DESIGNS[2].name] = result(decode__iou="0.5")  # not timed yet
    written(designs, tmp_path)
    text = (tmp_path / "model.md").read_text()
    assert "| default | 64 | 90 | 0.90 ± 0.01 |" in text
    assert "| pixel_shuffle | 64 | 90 | 0.91 ± 0.01 |" in text
    assert "| 199 (0.5) |" in text
    assert (tmp_path / "model-decoders.png").stat().st_size > 1000
    assert not (tmp_path / "model-time.png").exists()


def test_the_course_of_training_is_kept_and_drawn(small_run: Run, tmp_path: Path) -> None:
    own = replace(SHIPPED[0], settings={"images": 640, "batch_size": 64})
    shutil.copytree(small_run.path, tmp_path / own.name)
    (tmp_path / own.name / SCORES).write_text(json.dumps({"scores": {"held out": {}}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "SHIPPED", (own,))
        patch.setattr(report, "EXPERIMENTS", (own,))
        write_table(tmp_path, tmp_path / "systems.md")
    assert (tmp_path / "model-time.png").stat().st_size > 1000
    history = json.loads((tmp_path / "systems.json").read_text())[own.name]["history"]
    assert [row["minutes"] for row in history] == [row["seconds"] / 60 for row in small_run.history]
    assert 0 <= history[-1]["validation.decode.iou"] <= 1
