"""Loss terms by hand and against torch.distributions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from attributes import Attribute, Attributes
from training.adversary import Adversary
from training.latents import Evidence, Posterior, Softmax, Space, Targets, Unsupervised
from training.losses import (
    KL,
    AbsoluteKL,
    AdversarialLoss,
    Capacity,
    ForwardOutput,
    Reconstruction,
    SquaredError,
    Supervised,
)
from training.schedules import Progress, ramp

ATTRIBUTES = Attributes([Attribute(name="a", kind="ordinal", size=2), Attribute(name="b", kind="ordinal", size=4)])


@pytest.fixture
def output() -> ForwardOutput:
    mean, nothing = torch.tensor([[1.0] * 2 + [2.0] * 4, [0.0] * 6]), torch.zeros(2, 0)
    posterior = Posterior(mean, torch.zeros(2, 6), nothing, nothing)
    weights = torch.tensor([[1.0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]])
    images, logits = torch.tensor([1.0, 0]).view(2, 1, 1, 1).expand(2, 1, 2, 3), torch.zeros(2, 1, 2, 3)
    space = Space(3, ATTRIBUTES, [Softmax(attribute) for attribute in ATTRIBUTES])
    targets = Targets(weights, torch.tensor([[1.0, 1], [0, 1]]))
    return ForwardOutput(images, logits, posterior, torch.zeros(2, 6), targets, space, Progress(50, 100))


def test_reconstruction_is_summed_over_pixels_and_averaged_over_images(output: ForwardOutput) -> None:
    assert Reconstruction()(output).item() == pytest.approx(6 * math.log(2))


def test_squared_error_is_summed_over_pixels_or_their_mean(output: ForwardOutput) -> None:
    assert SquaredError()(output).item() == pytest.approx(6 * 0.25)
    assert SquaredError(per_pixel=True)(output).item() == pytest.approx(0.25)


def test_kl_is_summed_over_latents_and_averaged_over_images(output: ForwardOutput) -> None:
    assert KL()(output).item() == pytest.approx((2 * 0.5 + 4 * 2.0) / 2)


def test_kl_per_code_divides_by_the_number_of_classes(output: ForwardOutput) -> None:
    assert KL(per_code=True)(output).item() == pytest.approx((0.5 + 2.0) / 2)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (10, 5.5 - 1 / 2),  # a distance of 5.5 with a width of 1
        (5, 0.5 - 0.5 / 2),  # just beyond the width of .5
        (4.6, 0.1**2 / 2 / 0.46),
        (0.5, 4 - 0.1 / 2),  # the least width is .1
    ],
)
def test_capacity_is_the_distance_of_the_kl_from_what_is_allowed_now(
    output: ForwardOutput, allowed: float, expected: float
) -> None:
    """The KL is 4.5 nats, and the capacity half-way."""
    assert Capacity(100, ramp(0, 2 * allowed, share=1))(output).item() == pytest.approx(expected, rel=1e-4)


def test_the_absolute_kl_is_the_published_formula(output: ForwardOutput) -> None:
    # with unit variance -1/2 (1 + 0 - |m| - 1) = |m| / 2: a mean of (2 * 1 + 4 * 2) / 12 over codes and batch
    assert AbsoluteKL()(output).item() == pytest.approx(10 / 12 / 2)


def test_the_absolute_kl_is_that_from_the_prior_with_means_not_squared() -> None:
    exact = kl_divergence(Normal(1.0, 2.0), Normal(0.0, 1.0))  # where |m| is m^2 both are the same
    posterior = Posterior(torch.ones(1, 1), torch.tensor([[math.log(4.0)]]), torch.zeros(1, 0), torch.zeros(1, 0))
    output = ForwardOutput(*[torch.zeros(0)] * 2, posterior, torch.zeros(0), *[None] * 3)  # type: ignore[arg-type]
    assert AbsoluteKL()(output).item() == pytest.approx(exact.item())


def test_supervision_leaves_out_what_is_not_labelled(output: ForwardOutput) -> None:
    assert Supervised()(output).item() == pytest.approx((math.log(2) + math.log(4) + math.log(4)) / 2)


def leak(styles: torch.Tensor, groups: list[int], times: int) -> list[float]:
    """The loss each time that an adversary learns from the same styles."""
    kind = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
    space = Space(3, Attributes([kind]), [Evidence(kind, 1), Unsupervised(styles.shape[1], "style")])
    torch.manual_seed(0)
    adversary = Adversary(styles.shape[1], 2)
    mean = torch.cat([torch.zeros(len(styles), 1), styles], dim=1)
    nothing = torch.zeros(len(styles), 0)
    posterior = Posterior(mean, torch.zeros_like(mean), nothing, nothing)
    targets, blank = Targets(torch.eye(2)[groups], torch.ones(len(groups), 1)), torch.zeros(0)
    output = ForwardOutput(blank, blank, posterior, mean, targets, space, Progress(0, 1), adversary)
    return [AdversarialLoss(1.0)(output).item() for _ in range(times)]


@pytest.mark.parametrize("scale", [1, 0.01])
def test_styles_that_tell_the_group_leak_its_entropy_whatever_their_scale(scale: float) -> None:
    """Two equal groups: log 2 nats. Unequal ones, 1 : 3: log 4 - 3/4 log 3."""
    styles = scale * torch.tensor([[-1.0], [-1], [1], [1]])
    assert leak(styles, [0, 0, 1, 1], 30)[-1] == pytest.approx(math.log(2), abs=0.01)
    styles = scale * torch.tensor([[-1.0], [1], [1], [1]])
    assert leak(styles, [0, 1, 1, 1], 30)[-1] == pytest.approx(math.log(4) - 0.75 * math.log(3), abs=0.01)


def test_styles_of_one_distribution_leak_nothing() -> None:
    torch.manual_seed(0)
    assert leak(torch.randn(4000, 2), [0, 1] * 2000, 30)[-1] == pytest.approx(0, abs=0.01)
