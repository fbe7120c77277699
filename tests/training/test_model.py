"""The model as a whole: what its checkpoints hold, and what it decodes in training."""

from __future__ import annotations

import pytest
import torch

from attributes import Attribute, Attributes
from training import presets
from training.model import VAE

ATTRIBUTES = Attributes([Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")])


@pytest.mark.parametrize(
    ("preset", "current", "earlier"),
    [("conditional", "condition_classifier.", "reader."), ("multi_level", "adversary.", "critic.")],
)
def test_a_checkpoint_of_an_earlier_version_is_loaded(preset: str, current: str, earlier: str) -> None:
    trained, loaded = (VAE(presets.find(preset)(), ATTRIBUTES, (28, 28, 1)) for _ in range(2))
    state = trained.state_dict()
    names = {key: earlier + key.removeprefix(current) if key.startswith(current) else key for key in state}
    assert list(names.values()) != list(state)
    loaded.load_state_dict({names[key]: value for key, value in state.items()})
    for key, value in loaded.state_dict().items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(value, state[key])
