"""Free latents: their range on data, their names."""

from __future__ import annotations

import pytest
import torch

from tests.training.latents.toys import posterior
from training.latents import Unsupervised


def test_a_free_latent_takes_its_range_from_data_and_accepts_far_more() -> None:
    latent = Unsupervised(1)
    latent.follows = ("pos_x",)
    latent.fit(posterior(torch.linspace(-2, 4, 1001)[:, None]), None)
    (attribute,) = latent.attributes()
    assert attribute.name == "z0_pos_x"
    assert attribute.bounds == pytest.approx((-1.97, 3.97))
    assert attribute.default == pytest.approx(1)
    assert attribute.extremes[0] < -50 < 50 < attribute.extremes[1]


def test_an_idle_latent_has_a_range_all_the_same() -> None:
    latent = Unsupervised(1, "style")
    latent.fit(posterior(torch.zeros(10, 1)), None)
    (attribute,) = latent.attributes()
    assert attribute.name == "style0"
    assert attribute.bounds == pytest.approx((-1e-3, 1e-3))


def test_names_are_part_of_a_checkpoint() -> None:
    latent, other = Unsupervised(2), Unsupervised(2)
    latent.follows = ("scale", None)
    other.load_state_dict(latent.state_dict())
    assert [attribute.name for attribute in other.attributes()] == ["z0_scale", "z1"]
