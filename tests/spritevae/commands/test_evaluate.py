import json
from pathlib import Path

import pytest
from PIL import Image

from spritevae.__main__ import main
from training.runs import Run


def test_a_run_is_scored_into_json_table_and_picture(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["evaluate", str(small_run.path), "--rows", "200", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    scores = json.loads((tmp_path / "evaluation.json").read_text())["scores"]["held out"]
    assert scores["accuracy.orientation.merged"]["rows"] == 200
    assert f"{scores['decode.iou']['mean']:.4f}" in printed
    assert "0.9707" in printed
    with Image.open(tmp_path / "evaluation.png") as picture:
        assert picture.width > 800


def test_real_images_are_scored_held_out_and_all_apart(
    small_run: Run, real_dsprites: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = [
        "evaluate",
        str(small_run.path),
        "--images",
        str(real_dsprites),
        "--rows",
        "100",
        "--output",
        str(tmp_path),
    ]
    assert main(command) == 0
    assert "held out (100 images)" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "evaluation.json").read_text())["scores"]) == {"held out", "all"}


def test_a_bundle_is_scored_by_its_name(
    small_bundle: tuple[Path, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(small_bundle[0]), "--rows", "20"]) == 0
    assert (tmp_path / "runs" / "evaluation" / "small" / "evaluation.json").exists()
