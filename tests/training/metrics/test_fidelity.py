import pytest

from tests.training.metrics.oracles import ROWS, RenderingOracle
from training.data.dsprites import RenderedDSprites
from training.metrics import score_set


def test_a_codec_that_renders_is_faithful_between_classes(dataset: RenderedDSprites) -> None:
    scores = score_set(RenderingOracle(), dataset, ROWS[:100], ["fidelity"])
    assert set(scores) == {f"fidelity.{name}" for name in ("scale", "orientation", "pos_x", "pos_y")}
    assert all(score.mean == pytest.approx(1, abs=1e-3) for score in scores.values())


def test_a_codec_that_snaps_to_classes_is_not(dataset: RenderedDSprites) -> None:
    scores = score_set(RenderingOracle(snap=True), dataset, ROWS[:100], ["fidelity"])
    assert scores["fidelity.pos_x"].mean < 0.99
    assert scores["fidelity.scale"].mean < 0.95
