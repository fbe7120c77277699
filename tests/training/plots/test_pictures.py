from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.plots.pictures import GAP, grid, save, save_gif, upscale, with_caption


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grid_places_every_image(channels: int, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 28, 40, channels), np.uint8)
    picture = grid([*images])
    step_y, step_x = 28 + GAP, 40 + GAP
    for i in range(2):
        for j in range(3):
            top, left = GAP + i * step_y, GAP + j * step_x
            assert (picture[top : top + 28, left : left + 40] == images[i, j]).all()
    save(picture, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        assert (np.asarray(image).reshape(picture.shape) == picture).all()


def test_a_caption_stands_below_the_picture() -> None:
    picture = np.full((30, 40, 4), 7, np.uint8)
    below = with_caption(picture, "a caption that is wider than the picture")
    assert (below[:30, :40] == picture).all()
    assert below.shape[1] > 40
    assert (below[30:, 40:, :3] < 100).any()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_gif_keeps_frames_and_their_time(channels: int, tmp_path: Path) -> None:
    frames = [np.full((30, 40, channels), 60 * i, np.uint8) for i in range(4)]
    for frame in frames:
        frame[..., -1] |= 255 * (channels == 4)
    save_gif(frames, tmp_path / "walk.gif", fps=10)
    with Image.open(tmp_path / "walk.gif") as animation:
        assert animation.n_frames == 4
        assert animation.info["duration"] == 100
        animation.seek(2)
        assert abs(int(np.asarray(animation.convert("L"))[15, 20]) - 120) < 4


def test_an_upscaled_pixel_is_a_square() -> None:
    picture = np.array([[[1], [2]]], np.uint8)
    assert upscale(picture, 2)[..., 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
