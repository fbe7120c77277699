"""A trained model with groups, and some held-out rows of a run's data."""

import numpy as np
import pytest

from tests.support import train
from training.inference import TorchAutoencoder
from training.metrics.context import EvaluationContext
from training.runs import Run


@pytest.fixture(scope="session")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("runs") / "grouped", "--data", "dsprites", system="multi_level", images=256)


def held_out(run: Run, count: int = 60) -> EvaluationContext:
    dataset = run.dataset()
    return EvaluationContext(
        TorchAutoencoder(run.load()), dataset, np.flatnonzero(dataset.held_out)[:: len(dataset) // 10 // count][:count]
    )
