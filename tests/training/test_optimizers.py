import numpy as np
import pytest
import torch
from torch import nn

from training.optimizers import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (16, 16), (1, 9)])
def test_a_matrix_is_turned_into_the_orthogonal_one_nearest_to_it(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = np.linalg.svd(matrix.numpy(), full_matrices=False)
    turned = orthogonalise(matrix).numpy()
    values = np.linalg.svd(turned, compute_uv=False)
    assert 0.6 < values.min() <= values.max() < 1.3
    cosine = (turned * (u @ v)).sum() / np.linalg.norm(turned) / np.linalg.norm(u @ v)
    assert cosine > 0.95


def test_it_agrees_with_the_one_in_torch_where_that_one_can_be_used() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(12, 40, bias=False), nn.Linear(12, 40, bias=False)
    theirs.load_state_dict(ours.state_dict())
    start = ours.weight.detach().clone()
    own = Muon(ours.parameters(), torch.bfloat16, lr=0.002)
    other = torch.optim.Muon(theirs.parameters(), lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True)
    for step in range(5):
        images = torch.randn(8, 12, generator=torch.Generator().manual_seed(step))
        for layer, optimizer in ((ours, own), (theirs, other)):
            optimizer.zero_grad()
            layer(images).square().sum().backward()
            optimizer.step()
    way, other_way = ((layer.weight - start).detach().flatten() for layer in (ours, theirs))
    assert torch.cosine_similarity(way, other_way, dim=0) > 0.999  # both round to bfloat16 in their own order
    assert way.norm() / other_way.norm() == pytest.approx(1, abs=0.01)


def test_vectors_are_updated_as_adam_does() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Parameter(torch.randn(7)), nn.Parameter(torch.zeros(7))
    theirs.data.copy_(ours)
    optimizers = [Muon([ours], lr=0.01), torch.optim.Adam([theirs], lr=0.01)]
    for step in range(4):
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (parameter * torch.linspace(-1, step, 7)).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours, theirs)


def test_a_kernel_counts_as_a_matrix_whatever_its_layout_in_memory() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(3, 8, 3)
    last = nn.Conv2d(3, 8, 3)
    last.load_state_dict(plain.state_dict())
    last = last.to(memory_format=torch.channels_last)
    images = torch.randn(4, 3, 9, 9)
    for layer in (plain, last):
        optimizer = Muon(layer.parameters())
        layer(images).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(plain.weight, last.weight.contiguous(), atol=1e-4, rtol=1e-3)
