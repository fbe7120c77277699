from __future__ import annotations

import pytest
from PIL import Image

from attributes.images import CHANNEL_MODES, MAX_SIDE, MIN_SIDE
from export.manifest import ImageSpec


@pytest.mark.parametrize(("channels", "mode"), CHANNEL_MODES.items())
def test_each_mode_has_so_many_channels(channels: int, mode: str):
    assert len(Image.new(mode, (1, 1)).getbands()) == channels


@pytest.mark.parametrize("channels", CHANNEL_MODES)
@pytest.mark.parametrize("side", [MIN_SIDE, MAX_SIDE])
def test_a_bundle_may_have_images_of_each_kind_up_to_the_limits(channels: int, side: int):
    assert ImageSpec(height=side, width=side, channels=channels).shape == (side, side, channels)


@pytest.mark.parametrize("side", [MIN_SIDE - 1, MAX_SIDE + 1])
def test_a_bundle_has_no_images_beyond_the_limits(side: int):
    with pytest.raises(ValueError, match=str(MIN_SIDE if side < MIN_SIDE else MAX_SIDE)):
        ImageSpec(height=side, width=MIN_SIDE, channels=1)
