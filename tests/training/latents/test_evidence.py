"""Evidence of groups. Variances 1 and 1/3 give 1/4; means 0 and 4 give (1*0 + 3*4) / 4 = 3."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.training.latents.toys import KIND, one_hot, posterior
from training.latents import Evidence, Target

MEAN = torch.tensor([[0.0], [4], [10]])
LOGVAR = torch.tensor([[1.0], [1 / 3], [1]]).log()
TARGET = one_hot(0, 0, 1, size=2)


def test_a_group_shares_one_draw_of_its_evidence() -> None:
    z = Evidence(KIND, 1).sample(posterior(MEAN, LOGVAR), torch.tensor([[2.0], [-7], [0]]), TARGET)
    np.testing.assert_allclose(z, [[3 + 2 * 0.5], [3 + 2 * 0.5], [10]], rtol=1e-6)


def test_kl_counts_once_per_group() -> None:
    kl = Evidence(KIND, 1).kl(posterior(MEAN, LOGVAR), TARGET)
    once = kl_divergence(Normal(3.0, 0.5), Normal(0.0, 1.0))
    assert kl[:2].sum().item() == pytest.approx(once.item(), rel=1e-5)


def test_an_unlabelled_image_stands_alone() -> None:
    target = Target(TARGET.weights, torch.tensor([1.0, 0, 1]))
    z = Evidence(KIND, 1).sample(posterior(MEAN, LOGVAR), torch.zeros(3, 1), target)
    assert z[:, 0].tolist() == [0, 4, 10]


def test_evidence_of_subgroups_comes_from_the_last_of_a_group_and_stands_for_all() -> None:
    """Who does not contribute gets no gradient; the last member of each group always contributes."""
    groups = [0, 1, 0, 0, 1, 0]
    mean = torch.arange(6.0)[:, None].requires_grad_()
    q = posterior(mean, torch.zeros(6, 1))
    z = Evidence(KIND, 1, subgroups=True).sample(q, torch.zeros(6, 1), one_hot(*groups, size=2))
    for group, last in ((0, 5), (1, 4)):
        of_group = [i for i, each in enumerate(groups) if each == group]
        assert len(set(z[of_group, 0].tolist())) == 1
        (gradient,) = torch.autograd.grad(z[last].sum(), mean, retain_graph=True)
        contributors = gradient[:, 0].nonzero()[:, 0].tolist()
        assert contributors == of_group[-len(contributors) :]
        assert last in contributors


def test_subgroups_have_all_sizes_alike_on_a_logarithmic_scale() -> None:
    """Of 16 members among 256 images: one in a quarter of the batches, 2 or 3 in a quarter, 4 to 7, 8 and more.

    The evidence of n unit Gaussians around 0 is N(0, 1/n): with a noise of 1, z is n^(-1/2).
    """
    generator = torch.Generator().manual_seed(0)
    latent, q, noise = Evidence(KIND, 1, subgroups=True), posterior(*torch.zeros(2, 256, 1)), torch.ones(256, 1)
    counts = np.empty(2000)
    for batch in range(2000):
        members = torch.randperm(256, generator=generator)[:16]
        groups = torch.ones(256, dtype=torch.long)
        groups[members] = 0
        z = latent.sample(q, noise, Target(torch.eye(2)[groups], torch.ones(256)))
        counts[batch] = round(float(z[members[0]]) ** -2)
    for least, most, share in ((1, 1, 0.25), (2, 3, 0.25), (4, 7, 0.25), (8, 16, 0.25)):
        found = ((counts >= least) & (counts <= most)).mean()
        assert found == pytest.approx(share, abs=0.05)  # positions in a batch are whole numbers


def test_gradient_flows_through_the_evidence_unless_it_is_detached() -> None:
    for detached in (False, True):
        mean = MEAN.clone().requires_grad_()
        z = Evidence(KIND, 1, detached).sample(posterior(mean, LOGVAR), torch.zeros(3, 1), TARGET)
        assert z.requires_grad is not detached


def test_rows_are_the_evidence_and_the_nearest_is_the_class() -> None:
    latent = Evidence(KIND, 1)
    latent.fit(posterior(MEAN, LOGVAR), TARGET)
    np.testing.assert_allclose(latent.embedding.matrix, [[3], [10]], rtol=1e-6)
    assert latent.weights(posterior(torch.tensor([[4.0], [9.0]]))).argmax(dim=1).tolist() == [0, 1]
