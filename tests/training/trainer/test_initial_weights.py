from pathlib import Path

import pytest

from attributes import Attribute, Attributes
from tests.support import train
from training.model import VAE
from training.presets import find
from training.runs import Run, RunError
from training.trainer.initial_weights import load_matching_weights


def test_init_starts_from_the_weights_of_another_run(small_run: Run, tmp_path: Path) -> None:
    further = train(tmp_path / "further", "--data", "dsprites", "--init", str(small_run.path), images=64)
    fresh = train(tmp_path / "fresh", "--data", "dsprites", images=64)
    assert further.history[0]["train.loss"] < fresh.history[0]["train.loss"]


def test_init_says_which_weights_do_not_fit(
    small_run: Run, sprites: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    train(tmp_path / "other", "--data", str(sprites), "--init", str(small_run.path), images=64)
    assert "space.heads.weight" in capfd.readouterr()[0]


def test_a_model_that_shares_no_weights_is_refused(small_run: Run) -> None:
    attributes = Attributes([Attribute(name="a", kind="nominal", size=2, labels=("x", "y"), default="x")])
    other = VAE(find("beta_mlp")(), attributes, (28, 28, 1))
    with pytest.raises(RunError, match="none of its weights have the shape of this model's"):
        load_matching_weights(other, str(small_run.path))
