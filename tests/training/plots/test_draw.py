"""All pictures of small models of each kind, read back from their files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attributes import Attribute
from tests.support import train
from training.inference import TorchAutoencoder
from training.metrics.context import EvaluationContext
from training.metrics.latents import LatentRow
from training.metrics.sensitivity import Sensitivity
from training.plots import PICTURES, draw
from training.plots.canvas import GAP, save_gif
from training.plots.curves import curves
from training.plots.latents import bars
from training.plots.scatter import pairs, scatter
from training.plots.sensitivity import maps
from training.plots.swap import swap_grid
from training.plots.traversals import axis
from training.runs import Run

USUAL = {"reconstructions.png", "traversals.png", "interpolations.png", "scatter.png"}


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("runs") / "grouped", "--data", "dsprites", system="multi_level", images=256)


def context(run: Run, count: int = 60) -> EvaluationContext:
    dataset = run.dataset()
    return EvaluationContext(
        TorchAutoencoder(run.load()), dataset, np.flatnonzero(dataset.held_out)[:: len(dataset) // 10 // count][:count]
    )


def test_a_model_with_groups_has_every_picture(grouped: Run, tmp_path: Path) -> None:
    files = {file.name for file in draw(context(grouped), tmp_path)}
    assert files >= USUAL | {"swap.png", "swap-evidence.png", "latents.png", "latent_grid.png", "sensitivity.png"}
    assert files >= {"traversal-shape.gif", "tsne-class.png", "tsne-style.png"}
    for file in files:
        with Image.open(tmp_path / file) as picture:
            picture.load()
            assert min(picture.size) > 60
    with Image.open(tmp_path / "traversal-shape.gif") as animation:
        assert 1 <= animation.n_frames <= 3


def test_a_supervised_model_has_those_that_apply(small_run: Run, tmp_path: Path) -> None:
    files = {file.name for file in draw(context(small_run), tmp_path, ["reconstructions", "swap", "latents"])}
    assert files == {"reconstructions.png"}


def test_an_unknown_picture_lists_what_there_is(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"no picture 'cat'; there is: {', '.join(PICTURES)}"):
        draw(context(small_run), tmp_path, ["cat"])


def test_a_cell_of_the_swap_grid_has_the_class_of_its_column_and_the_style_of_its_row(grouped: Run) -> None:
    looked = context(grouped)
    top, left = np.array([0, 1, 2]), np.array([7, 8])
    own, _ = looked.autoencoder.codebook.grouped
    picture = swap_grid(looked, top, left, looked.encoded.z[top][:, own])
    z = looked.encoded.z[8].copy()
    z[own] = looked.encoded.z[2][own]
    expected = np.rint(255 * looked.autoencoder.decode(z[None])[0])
    step = 64 + GAP
    cell = picture[GAP + 2 * step : GAP + 2 * step + 64, GAP + 3 * step : GAP + 3 * step + 64]
    assert np.abs(cell.astype(int) - expected).max() <= 1
    assert not picture[GAP : GAP + 64, GAP : GAP + 64].any(), "the corner is blank"


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


def test_curves_show_every_run_and_every_quantity() -> None:
    def history(factor: float) -> list[dict[str, float]]:
        return [{"images": i, "step": i, "train.loss": factor / (i + 1), "schedule.rate": 1.0} for i in range(5)]

    one, two = curves({"a": history(1)}), curves({"a": history(1), "b": history(9)})
    assert two.shape[0] > one.shape[0], "a line of the legend for each run"
    assert (np.abs(two.astype(int) - [217, 119, 6]).max(axis=2) < 40).any(), "the second run's colour"


def test_points_are_coloured_by_class() -> None:
    kind = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
    points = np.array([[-1.0, -1], [1, 1]])
    picture = scatter(points, np.array([0, 1]), kind, ["x", "y"])
    red_over_blue = picture[..., 0].astype(int) - picture[..., 2]
    blue, orange = red_over_blue < -50, red_over_blue > 50
    panel = slice(0, 715)  # beyond lies the legend
    assert blue[:, panel].nonzero()[0].mean() > orange[:, panel].nonzero()[0].mean(), "a lies below b"


@pytest.mark.parametrize("kind", ["ordinal", "circular"])
def test_many_classes_get_a_colour_bar(kind: str) -> None:
    period = 30 if kind == "circular" else None
    attribute = Attribute(name="turn", kind=kind, size=30, period=period)
    draw = np.random.default_rng(0)
    picture = pairs(draw.normal(size=(90, 3)), np.arange(90) % 30, attribute, ["x", "y", "z"])
    assert len(np.unique(picture[:, -120:].reshape(-1, 3), axis=0)) > 30


def test_maps_and_bars_have_a_place_for_each_latent() -> None:
    names = [f"z{i}" for i in range(7)]
    picture = maps(names, Sensitivity(np.random.default_rng(0).random((7, 8, 8, 1)), np.full(7, 1 / 7)))
    assert picture.shape[1] > 900
    row = LatentRow("z0", 0.01, "pos_x", 0.5)
    assert bars([row] * 9).shape[0] > bars([row] * 3).shape[0]


def test_an_axis_goes_from_end_to_end() -> None:
    assert axis(Attribute(name="a", kind="ordinal", size=3), 5) == [0, 0.5, 1, 1.5, 2]
    assert axis(Attribute(name="a", kind="circular", size=4, period=4), 4) == [0, 1, 2, 3]
    assert axis(Attribute(name="a", kind="nominal", size=2, labels=("x", "y"), default="x"), 9) == [0, 1]
    assert axis(Attribute(name="a", kind="continuous", range=(-1, 1), limits=(-9, 9)), 3) == [-1, 0, 1]
