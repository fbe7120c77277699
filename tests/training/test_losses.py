import io
import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from attributes import Attribute, Attributes
from training.adversary import Adversary
from training.latents.base import Evidence, Label, Posterior, Softmax, Unsupervised
from training.latents.space import Labels, Space
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
def passed() -> ForwardOutput:
    mean, nothing = torch.tensor([[1.0] * 2 + [2.0] * 4, [0.0] * 6]), torch.zeros(2, 0)
    posterior = Posterior(mean, torch.zeros(2, 6), nothing, nothing)
    targets = torch.tensor([[1.0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]])
    images, logits = torch.tensor([1.0, 0]).view(2, 1, 1, 1).expand(2, 1, 2, 3), torch.zeros(2, 1, 2, 3)
    space = Space(3, ATTRIBUTES, [Softmax(attribute) for attribute in ATTRIBUTES])
    labels = Labels(targets, torch.tensor([[1.0, 1], [0, 1]]))
    return ForwardOutput(images, logits, posterior, torch.zeros(2, 6), labels, space, Progress(50, 100))


def test_reconstruction_is_summed_over_pixels_and_averaged_over_images(passed: ForwardOutput) -> None:
    assert Reconstruction()(passed).item() == pytest.approx(6 * math.log(2))


def test_squared_error_is_summed_over_pixels_or_their_mean(passed: ForwardOutput) -> None:
    assert SquaredError()(passed).item() == pytest.approx(6 * 0.25)
    assert SquaredError(per_pixel=True)(passed).item() == pytest.approx(0.25)


def test_kl_is_summed_over_latents_and_averaged_over_images(passed: ForwardOutput) -> None:
    assert KL()(passed).item() == pytest.approx((2 * 0.5 + 4 * 2.0) / 2)


def test_kl_per_code_divides_by_the_number_of_classes(passed: ForwardOutput) -> None:
    assert KL(per_code=True)(passed).item() == pytest.approx((0.5 + 2.0) / 2)


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
    passed: ForwardOutput, allowed: float, expected: float
) -> None:
    """The KL is 4.5 nats, and the capacity half-way."""
    assert Capacity(100, ramp(0, 2 * allowed, share=1))(passed).item() == pytest.approx(expected, rel=1e-4)


def test_the_absolute_kl_is_the_published_formula(passed: ForwardOutput) -> None:
    # with unit variance -1/2 (1 + 0 - |m| - 1) = |m| / 2: a mean of (2 * 1 + 4 * 2) / 12 over codes and batch
    assert AbsoluteKL()(passed).item() == pytest.approx(10 / 12 / 2)


def test_the_absolute_kl_is_that_from_the_prior_with_means_not_squared() -> None:
    exact = kl_divergence(Normal(1.0, 2.0), Normal(0.0, 1.0))  # where |m| is m^2 both are the same
    posterior = Posterior(torch.ones(1, 1), torch.tensor([[math.log(4.0)]]), torch.zeros(1, 0), torch.zeros(1, 0))
    passed = ForwardOutput(*[torch.zeros(0)] * 2, posterior, torch.zeros(0), *[None] * 3)  # type: ignore[arg-type]
    assert AbsoluteKL()(passed).item() == pytest.approx(exact.item())


def test_supervision_leaves_out_what_is_not_labelled(passed: ForwardOutput) -> None:
    assert Supervised()(passed).item() == pytest.approx((math.log(2) + math.log(4) + math.log(4)) / 2)


def leak(styles: torch.Tensor, groups: list[int], times: int) -> list[float]:
    """What is found each time that a critic looks at the same styles."""
    kind = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
    space = Space(3, Attributes([kind]), [Evidence(kind, 1), Unsupervised(styles.shape[1], "style")])
    torch.manual_seed(0)
    adversary = Adversary(styles.shape[1], 2)
    mean = torch.cat([torch.zeros(len(styles), 1), styles], dim=1)
    nothing = torch.zeros(len(styles), 0)
    posterior = Posterior(mean, torch.zeros_like(mean), nothing, nothing)
    labels, blank = Labels(torch.eye(2)[groups], torch.ones(len(groups), 1)), torch.zeros(0)
    passed = ForwardOutput(blank, blank, posterior, mean, labels, space, Progress(0, 1), adversary)
    return [AdversarialLoss(1.0)(passed).item() for _ in range(times)]


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


def test_a_critic_learns_in_training_only_and_leaves_its_gradients_to_nobody() -> None:
    torch.manual_seed(0)
    adversary, label = Adversary(1, 2), Label(torch.eye(2), torch.ones(2))
    before = [value.clone() for value in adversary.parameters()]
    codes = torch.tensor([[-1.0], [1.0]], requires_grad=True)
    adversary(codes, label).backward()
    assert all(map(torch.equal, before, adversary.parameters()))
    assert codes.grad is not None
    assert codes.grad.any()
    codes.grad = None
    adversary.learn(codes, label, steps=1)
    assert not any(map(torch.equal, before, adversary.parameters()))
    assert codes.grad is None
    assert not any(value.requires_grad for value in adversary.parameters())


def test_a_critic_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    torch.manual_seed(0)
    codes, label = torch.randn(8, 3), Label(torch.eye(2)[[0, 1] * 4], torch.ones(8))
    adversary, other = Adversary(3, 2), Adversary(3, 2)
    adversary.learn(codes, label, steps=3)
    file = io.BytesIO()
    torch.save(adversary.state_dict(), file)
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    for each in (adversary, other):
        each.learn(codes, label, steps=3)
    assert all(map(torch.equal, adversary.parameters(), other.parameters()))
