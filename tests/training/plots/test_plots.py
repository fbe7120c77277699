from pathlib import Path

import pytest
from PIL import Image

from tests.training.plots.conftest import held_out
from tests.training.plots.toys import Bands, context
from training.plots import PICTURES, draw
from training.runs import Run

USUAL = {"reconstructions.png", "traversals.png", "interpolations.png", "scatter.png"}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_picture_is_drawn_in_grey_rgb_and_rgba(channels: int, tmp_path: Path) -> None:
    files = {file.name for file in draw(context(Bands(3, channels, "group")), tmp_path)}
    singles = {"reconstructions", "traversals", "interpolations", "latent_grid", "latent_grid-linear", "latents"}
    singles |= {"swap", "swap-evidence", "scatter", "pairs", "sensitivity", "tsne-class", "tsne-style"}
    gifs = {f"traversal-{name}.gif" for name in ("kind", "z0", "z1", "z2")}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert files == {f"{name}.png" for name in singles} | gifs
    with Image.open(tmp_path / "reconstructions.png") as image:
        assert image.mode == {1: "L", 3: "RGB", 4: "RGBA"}[channels]


def test_what_needs_classes_is_not_drawn_where_no_image_has_one() -> None:
    looked = context(Bands(3), labelled=False)
    assert not [file for name in ("scatter", "tsne", "latents", "swap") for file, _ in PICTURES[name](looked)]


def test_a_model_with_groups_has_every_picture(grouped: Run, tmp_path: Path) -> None:
    files = {file.name for file in draw(held_out(grouped), tmp_path)}
    assert files >= USUAL | {"swap.png", "swap-evidence.png", "latents.png", "latent_grid.png", "sensitivity.png"}
    assert files >= {"traversal-shape.gif", "tsne-class.png", "tsne-style.png"}
    for file in files:
        with Image.open(tmp_path / file) as picture:
            picture.load()
            assert min(picture.size) > 60
    with Image.open(tmp_path / "traversal-shape.gif") as animation:
        assert 1 <= animation.n_frames <= 3


def test_a_supervised_model_has_those_that_apply(small_run: Run, tmp_path: Path) -> None:
    files = {file.name for file in draw(held_out(small_run), tmp_path, ["reconstructions", "swap", "latents"])}
    assert files == {"reconstructions.png"}


def test_an_unknown_picture_lists_what_there_is(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"no picture 'cat'; there is: {', '.join(PICTURES)}"):
        draw(held_out(small_run), tmp_path, ["cat"])
