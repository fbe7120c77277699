import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spritevae.__main__ import main
from training.data import open_dataset
from training.data.dataset import DataError
from training.evaluation import as_json, evaluate, rows_to_score, table
from training.inference import TorchAutoencoder
from training.runs import Run


def test_rows_are_held_out_ones_and_all_apart() -> None:
    dataset = open_dataset("dsprites")
    sets = rows_to_score(dataset, also_all=True, at_most=1000)
    assert {title: len(rows) for title, rows in sets.items()} == {"held out": 1000, "all": 1000}
    assert dataset.held_out[sets["held out"]].all()
    assert not dataset.held_out[sets["all"]].all()


def test_rows_that_were_trained_on_are_a_set_of_their_own(small_run: Run) -> None:
    dataset = small_run.dataset()
    sets = rows_to_score(dataset, also_training=True, at_most=500)
    assert not dataset.held_out[sets["trained on"]].any()


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


def test_data_with_other_attributes_is_refused(small_run: Run, sprites: Path) -> None:
    with pytest.raises(DataError, match=r"the model knows shape .* on images of 64x64x1; the data has body .* 44x36x3"):
        evaluate(TorchAutoencoder(small_run.load()), open_dataset(str(sprites)), {})


def test_a_table_has_a_line_for_each_score(small_run: Run) -> None:
    dataset = open_dataset("dsprites")
    evaluation = evaluate(TorchAutoencoder(small_run.load()), dataset, {"some": np.arange(10)})
    assert len(table(evaluation, {}).splitlines()) == 1 + len(evaluation["some"])
    assert as_json(evaluation, {})["scores"]["some"].keys() == evaluation["some"].keys()
