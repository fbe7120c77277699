import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from training.attributes import Attribute, Attributes
from training.latents import Evidence, Free, Posterior, Softmax
from training.schedules import Moment, ramp
from training.space import Labels, Space
from training.terms import KL, AbsoluteKL, Capacity, Leak, Pass, Reconstruction, SquaredError, Supervised

ATTRIBUTES = Attributes([Attribute(name="a", kind="ordinal", size=2), Attribute(name="b", kind="ordinal", size=4)])


@pytest.fixture
def passed() -> Pass:
    mean, nothing = torch.tensor([[1.0] * 2 + [2.0] * 4, [0.0] * 6]), torch.zeros(2, 0)
    posterior = Posterior(mean, torch.zeros(2, 6), nothing, nothing)
    targets = torch.tensor([[1.0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]])
    images, logits = torch.tensor([1.0, 0]).view(2, 1, 1, 1).expand(2, 1, 2, 3), torch.zeros(2, 1, 2, 3)
    space = Space(3, ATTRIBUTES, [Softmax(attribute) for attribute in ATTRIBUTES])
    labels = Labels(targets, torch.tensor([[1.0, 1], [0, 1]]))
    return Pass(images, logits, posterior, torch.zeros(2, 6), labels, space, Moment(50, 100))


def test_reconstruction_is_summed_over_pixels_and_averaged_over_images(passed: Pass) -> None:
    assert Reconstruction()(passed).item() == pytest.approx(6 * math.log(2))


def test_squared_error_is_summed_over_pixels_or_their_mean(passed: Pass) -> None:
    assert SquaredError()(passed).item() == pytest.approx(6 * 0.25)
    assert SquaredError(per_pixel=True)(passed).item() == pytest.approx(0.25)


def test_kl_is_summed_over_latents_and_averaged_over_images(passed: Pass) -> None:
    assert KL()(passed).item() == pytest.approx((2 * 0.5 + 4 * 2.0) / 2)


def test_kl_per_code_divides_by_the_number_of_classes(passed: Pass) -> None:
    assert KL(per_code=True)(passed).item() == pytest.approx((0.5 + 2.0) / 2)


def test_capacity_is_the_distance_of_the_kl_from_what_is_allowed_now(passed: Pass) -> None:
    assert Capacity(100, ramp(0, 20, share=1))(passed).item() == pytest.approx(10 - 4.5)  # half-way: 10 nats


def test_the_absolute_kl_is_the_published_formula(passed: Pass) -> None:
    # with unit variance -1/2 (1 + 0 - |m| - 1) = |m| / 2: a mean of (2 * 1 + 4 * 2) / 12 over codes and batch
    assert AbsoluteKL()(passed).item() == pytest.approx(10 / 12 / 2)


def test_the_absolute_kl_is_that_from_the_prior_with_means_not_squared() -> None:
    exact = kl_divergence(Normal(1.0, 2.0), Normal(0.0, 1.0))  # where |m| is m^2 both are the same
    posterior = Posterior(torch.ones(1, 1), torch.tensor([[math.log(4.0)]]), torch.zeros(1, 0), torch.zeros(1, 0))
    passed = Pass(*[torch.zeros(0)] * 2, posterior, torch.zeros(0), *[None] * 3)  # type: ignore[arg-type]
    assert AbsoluteKL()(passed).item() == pytest.approx(exact.item())


def test_supervision_leaves_out_what_is_not_labelled(passed: Pass) -> None:
    assert Supervised()(passed).item() == pytest.approx((math.log(2) + math.log(4) + math.log(4)) / 2)


def leak(styles: torch.Tensor, groups: list[int]) -> float:
    kind = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
    attributes = Attributes([kind])
    space = Space(3, attributes, [Evidence(kind, 1), Free(styles.shape[1], "style")])
    mean = torch.cat([torch.zeros(len(styles), 1), styles], dim=1)
    nothing = torch.zeros(len(styles), 0)
    posterior = Posterior(mean, torch.zeros_like(mean), nothing, nothing)
    labels = Labels(torch.eye(2)[groups], torch.ones(len(groups), 1))
    blank = torch.zeros(0)
    return Leak()(Pass(blank, blank, posterior, mean, labels, space, Moment(0, 1))).item()


def test_styles_that_differ_between_groups_leak() -> None:
    """Two points two standard deviations apart: within a group all kernels are 1, across exp(-2^2 / 2 w^2)."""
    styles = torch.tensor([[-1.0], [-1], [1], [1]])
    spread = styles / styles.std()
    apart = float((spread[0] - spread[2]).square())
    across = sum(math.exp(-apart / (2 * w * w)) for w in (1, 2, 4))
    assert leak(styles, [0, 0, 1, 1]) == pytest.approx(2 * (3 + 3 - 2 * across), rel=1e-3)


def test_styles_of_one_distribution_leak_nothing_on_average() -> None:
    torch.manual_seed(0)
    found = [leak(torch.randn(40, 2), [0] * 15 + [1] * 25) for _ in range(200)]
    mean, error = sum(found) / 200, torch.tensor(found).std().item() / math.sqrt(200)
    assert abs(mean) < 4 * error


def test_the_scale_of_styles_hides_no_leak() -> None:
    styles = torch.tensor([[-1.0], [-0.9], [1], [0.8]])
    assert leak(styles, [0, 0, 1, 1]) == pytest.approx(leak(styles / 100, [0, 0, 1, 1]), rel=0.1)
