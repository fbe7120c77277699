import json
from pathlib import Path

import numpy as np
import pytest

from training.data import open_dataset
from training.data.dataset import DataError
from training.evaluation import as_json, evaluate, rows_to_score, table, write
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


def test_data_with_other_attributes_is_refused(small_run: Run, sprites: Path) -> None:
    with pytest.raises(DataError, match=r"the model knows shape .* on images of 64x64x1; the data has body .* 44x36x3"):
        evaluate(TorchAutoencoder(small_run.load()), open_dataset(str(sprites)), {})


def test_a_table_has_a_line_for_each_score(small_run: Run) -> None:
    dataset = open_dataset("dsprites")
    evaluation = evaluate(TorchAutoencoder(small_run.load()), dataset, {"some": np.arange(10)})
    assert len(table(evaluation, {}).splitlines()) == 1 + len(evaluation["some"])
    assert as_json(evaluation, {})["scores"]["some"].keys() == evaluation["some"].keys()


def test_scores_are_written_as_json_and_as_a_picture(small_run: Run, tmp_path: Path) -> None:
    dataset, autoencoder = open_dataset("dsprites"), TorchAutoencoder(small_run.load())
    sets = rows_to_score(dataset, at_most=20)
    files = write(evaluate(autoencoder, dataset, sets), autoencoder, dataset, sets, tmp_path / "new")
    assert [file.name for file in files] == ["evaluation.json", "evaluation.png"]
    assert json.loads(files[0].read_text())["ceilings"]["orientation"] == 0.9707
