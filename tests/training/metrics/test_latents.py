import pytest

from tests.training.metrics.oracles import ROWS, FreeOracle
from training.data.dsprites import RenderedDSprites
from training.metrics import score_set
from training.metrics.context import EvaluationContext
from training.metrics.latents import latent_statistics


def test_active_latents_follow_their_factor(dataset: RenderedDSprites) -> None:
    rows = latent_statistics(EvaluationContext(FreeOracle(dataset, ROWS), dataset, ROWS))
    assert [(row.name, row.factor) for row in rows[:2]] == [("z0", "pos_x"), ("z1", "scale")]
    assert [row.variance for row in rows] == [pytest.approx(0.01), pytest.approx(0.05), pytest.approx(1)]
    scores = score_set(FreeOracle(dataset, ROWS), dataset, ROWS, ["latents"])
    assert scores["active.below_0.1"].mean == 2
    assert scores["follows.pos_x"].mean == 1
    assert scores["follows.shape"].mean == 0
