"""The model as a whole: what its checkpoints hold, and what it decodes in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attributes import Attribute, Attributes
from training import presets
from training.latents import Targets
from training.model import VAE, StepNoise
from training.runs import Run
from training.schedules import Progress

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


def test_noise_is_a_function_of_seed_and_step() -> None:
    draws = [StepNoise(seed, step).normal(3, 2) for seed, step in ((1, 5), (1, 5), (1, 6), (2, 5))]
    assert torch.equal(draws[0], draws[1])
    assert not any(torch.equal(draws[0], other) for other in draws[2:])


def test_a_share_is_a_probability() -> None:
    assert StepNoise(0, 0).bernoulli(10_000, 0.3).mean().item() == pytest.approx(0.3, abs=0.02)
    assert not StepNoise(0, 0).bernoulli(100, 0.0).any()
    assert StepNoise(0, 0).bernoulli(100, 1.0).all()


def test_the_label_share_decodes_from_labels_alone(small_run: Run) -> None:
    model = small_run.load()
    object.__setattr__(model.recipe, "label_share", 1.0)
    batch = small_run.dataset().batch(np.arange(5))
    images = torch.rand(5, 1, 64, 64)
    targets = Targets(torch.from_numpy(batch.targets), torch.from_numpy(batch.known).float())
    logits = model(images, targets, StepNoise(0, 0), Progress(0, 1)).logits
    torch.testing.assert_close(logits, model.decoder(model.space.embed(targets)[0]))


def test_the_cycle_share_encodes_what_the_decoder_draws_of_complete_labels(small_run: Run) -> None:
    """Of four images the first two are chosen; the second lacks a label."""
    model = small_run.load()
    object.__setattr__(model.recipe, "cycle_share", 0.5)
    batch = small_run.dataset().batch(np.arange(4))
    known = torch.from_numpy(batch.known).float()
    known[1, 0] = 0
    images, targets = torch.rand(4, 1, 64, 64), Targets(torch.from_numpy(batch.targets), known)
    seen = model(images, targets, StepNoise(0, 0), Progress(0, 1)).posterior.mean
    drawn = model.decode(model.space.embed(targets)[0])
    expected = model.posterior(torch.cat([drawn[:1], images[1:]]), targets).mean
    torch.testing.assert_close(seen, expected)


def test_a_condition_that_is_given_reaches_encoder_and_decoder() -> None:
    torch.manual_seed(0)
    model = VAE(presets.find("conditional")(), ATTRIBUTES, (28, 28, 1)).eval()
    images = torch.rand(2, 1, 28, 28)
    given = Targets(torch.tensor([[1.0, 0], [0, 1]]), torch.ones(2, 1))
    encoded = model.encode(images, given)
    assert encoded.weights[:, :2].tolist() == encoded.z[:, :2].tolist() == [[1, 0], [0, 1]]
    inferred = model.encode(images)
    torch.testing.assert_close(inferred.weights[:, :2], model.condition_classifier(images).softmax(dim=1))
    assert not torch.equal(inferred.mean, encoded.mean)
