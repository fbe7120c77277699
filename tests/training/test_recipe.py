"""Recipes with which nothing can be trained are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training import presets


@pytest.mark.parametrize("images", [0, -1])
def test_a_recipe_needs_images(images: int) -> None:
    with pytest.raises(ValueError, match="at least one image"):
        replace(presets.find("softmax")(), images=images)


@pytest.mark.parametrize("rate", [0.0, float("inf"), float("nan")])
def test_a_recipe_needs_a_finite_learning_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="a positive learning rate"):
        replace(presets.find("softmax")(), learning_rate=lambda progress: rate)


@pytest.mark.parametrize("share", ["label_share", "cycle_share", "off_grid_share"])
def test_a_share_lies_between_0_and_1(share: str) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        replace(presets.find("softmax")(), **{share: 1.5})
