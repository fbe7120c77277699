import math

import pytest
import torch

from training.attributes import Attribute, Attributes
from training.latents import Posterior, Softmax
from training.terms import KL, Pass, Reconstruction, Supervised

ATTRIBUTES = Attributes([Attribute(name="a", kind="ordinal", size=2), Attribute(name="b", kind="ordinal", size=4)])


@pytest.fixture
def passed() -> Pass:
    posterior = Posterior(torch.tensor([[1.0] * 2 + [2.0] * 4, [0.0] * 6]), torch.zeros(2, 6))
    targets = torch.tensor([[1.0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]])
    images, logits = torch.tensor([1.0, 0]).view(2, 1, 1, 1).expand(2, 1, 2, 3), torch.zeros(2, 1, 2, 3)
    return Pass(images, logits, posterior, Softmax(3, ATTRIBUTES), targets, torch.tensor([[1.0, 1], [0, 1]]))


def test_reconstruction_is_summed_over_pixels_and_averaged_over_images(passed: Pass) -> None:
    assert Reconstruction()(passed).item() == pytest.approx(6 * math.log(2))


def test_kl_is_summed_over_latents_and_averaged_over_images(passed: Pass) -> None:
    assert KL()(passed).item() == pytest.approx((2 * 0.5 + 4 * 2.0) / 2)


def test_kl_per_class_divides_by_the_number_of_classes(passed: Pass) -> None:
    assert KL(per_class=True)(passed).item() == pytest.approx((0.5 + 2.0) / 2)


def test_supervision_leaves_out_what_is_not_labelled(passed: Pass) -> None:
    assert Supervised()(passed).item() == pytest.approx((math.log(2) + math.log(4) + math.log(4)) / 2)
