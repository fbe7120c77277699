"""An adversary: when it learns, and how it resumes."""

from __future__ import annotations

import io

import torch

from training.adversary import Adversary
from training.latents import Target


def test_an_adversary_learns_in_training_only_and_leaves_its_gradients_to_nobody() -> None:
    torch.manual_seed(0)
    adversary, target = Adversary(1, 2), Target(torch.eye(2), torch.ones(2))
    before = [value.clone() for value in adversary.parameters()]
    codes = torch.tensor([[-1.0], [1.0]], requires_grad=True)
    adversary(codes, target).backward()
    assert all(map(torch.equal, before, adversary.parameters()))
    assert codes.grad is not None
    assert codes.grad.any()
    codes.grad = None
    adversary.learn(codes, target, steps=1)
    assert not any(map(torch.equal, before, adversary.parameters()))
    assert codes.grad is None
    assert not any(value.requires_grad for value in adversary.parameters())


def test_an_adversary_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    torch.manual_seed(0)
    codes, target = torch.randn(8, 3), Target(torch.eye(2)[[0, 1] * 4], torch.ones(8))
    adversary, other = Adversary(3, 2), Adversary(3, 2)
    adversary.learn(codes, target, steps=3)
    file = io.BytesIO()
    torch.save(adversary.state_dict(), file)
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    for each in (adversary, other):
        each.learn(codes, target, steps=3)
    assert all(map(torch.equal, adversary.parameters(), other.parameters()))
