"""What single pictures show, read from codecs whose images show z."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from attributes import Attribute
from tests.training.plots.toys import HEIGHT, KIND, Bands, Shown, bands
from training.autoencoder import to_uint8
from training.metrics.context import EvaluationContext
from training.plots import PICTURES, draw
from training.plots.canvas import COLUMNS, GAP, Picture, captioned
from training.plots.curves import curves
from training.plots.interpolations import STEPS, side_by_side, strip
from training.plots.latent_grid import ENDS, SIDE, latent_grid
from training.plots.scatter import LabelledCodes, scatter
from training.plots.traversals import FRAMES, traversals
from training.plots.tsne import tsne

BIT = 1 / 255


def context(autoencoder: Bands, **dataset: object) -> EvaluationContext:
    shown = Shown(autoencoder, **dataset)  # type: ignore[arg-type]
    return EvaluationContext(autoencoder, shown, np.arange(len(shown)))


def cell(picture: Picture, row: int, column: int, autoencoder: Bands, margin: int = 0) -> NDArray[np.float32]:
    """What the bands of one image of a grid say."""
    width = autoencoder.image_shape[1]
    top, left = GAP + row * (HEIGHT + GAP), margin + GAP + column * (width + GAP)
    return bands(picture[None, top : top + HEIGHT, left : left + width])[0]


def picture_of(looked: EvaluationContext, name: str, file: str) -> Picture:
    found = dict(PICTURES[name](looked))[file]
    assert not isinstance(found, list)
    return found


def margin_of(picture: Picture, autoencoder: Bands, columns: int) -> int:
    return picture.shape[1] - (columns * (autoencoder.image_shape[1] + GAP) + GAP)


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


@pytest.mark.parametrize("knows", ["condition", "group"])
def test_a_swap_has_the_class_of_its_column_and_the_style_of_its_row(knows: str) -> None:
    autoencoder = Bands(2, knows=knows)
    looked = context(autoencoder)
    dataset = looked.dataset
    assert isinstance(dataset, Shown)
    picture = picture_of(looked, "swap", "swap.png")
    originals = bands(dataset.images)
    top = [cell(picture, 0, 1 + j, autoencoder) for j in range(10)]
    for i in range(10):
        left = cell(picture, 1 + i, 0, autoencoder)
        for j in range(10):
            row = int(np.abs(originals - top[j]).sum(axis=1).argmin())
            of_class = np.eye(3)[dataset.classes[row]] if knows == "condition" else originals[row, :3]
            assert np.allclose(cell(picture, 1 + i, 1 + j, autoencoder), [*of_class, *left[3:]], atol=BIT)


def test_evidence_of_images_that_are_equally_sure_is_their_mean() -> None:
    autoencoder = Bands(2, knows="group")
    looked = context(autoencoder)
    dataset = looked.dataset
    assert isinstance(dataset, Shown)
    picture = picture_of(looked, "swap", "swap-evidence.png")
    means = np.stack([bands(dataset.images[dataset.classes == each])[:, :3].mean(axis=0) for each in range(3)])
    for j in range(10):  # the top row takes the classes in turn
        assert np.allclose(cell(picture, 1, 1 + j, autoencoder)[:3], means[j % 3], atol=BIT)


@pytest.mark.parametrize("knows", ["condition", "group"])
def test_no_swap_where_the_data_does_not_have_the_class(knows: str) -> None:
    autoencoder = Bands(2, knows=knows)
    other = Attribute(name="other", kind="nominal", size=3, labels=("a", "b", "c"), default="a")
    assert not list(PICTURES["swap"](context(autoencoder, attribute=other)))
    assert list(PICTURES["swap"](context(autoencoder)))


def test_what_needs_classes_is_not_drawn_where_no_image_has_one() -> None:
    looked = context(Bands(3), labelled=False)
    assert not [file for name in ("scatter", "tsne", "latents", "swap") for file, _ in PICTURES[name](looked)]


@pytest.mark.parametrize("linear", [False, True])
def test_a_latent_grid_spans_the_codes_rightwards_and_upwards(linear: bool) -> None:
    autoencoder = Bands(3)
    looked = context(autoencoder)
    codes = looked.encoded.z
    picture = latent_grid(looked, [2, 0], linear)
    share = np.linspace(*ENDS, SIDE)
    low, high = np.quantile(codes, ENDS, axis=0)
    steps = (
        low + (high - low) * (share[:, None] - ENDS[0]) / (ENDS[1] - ENDS[0])
        if linear
        else np.quantile(codes, share, axis=0)
    )
    for across, up in ((0, 0), (SIDE - 1, 0), (0, SIDE - 1), (7, 16)):
        expected = [steps[up, 0], np.median(codes[:, 1]), steps[across, 2]]
        assert np.allclose(cell(picture, SIDE - 1 - up, across, autoencoder), expected, atol=BIT)


def test_an_interpolation_begins_and_ends_with_the_images_and_is_straight_in_free_latents() -> None:
    autoencoder = Bands(2)
    pair = to_uint8(autoencoder.decode(np.array([[0.2, 0.8], [0.8, 0.4]], np.float32)))
    frames = strip(autoencoder, pair)
    assert len(frames) == STEPS + 2
    assert (frames[[0, -1]] == pair).all()
    assert np.allclose(bands(frames[1:-1]), np.linspace([0.2, 0.8], [0.8, 0.4], STEPS), atol=1.5 * BIT)


def test_codecs_side_by_side_have_a_row_each() -> None:
    autoencoder, idle = Bands(2), Bands(2, idle=(1,))
    pair = to_uint8(autoencoder.decode(np.array([[0.2, 0.8], [0.8, 0.4]], np.float32)))
    picture = side_by_side({"active": autoencoder, "idle": idle}, pair)
    margin = margin_of(picture, autoencoder, STEPS + 2)
    assert (picture[:, :margin].min(axis=(1, 2)) < 100).any(), "names before the rows"
    middle = 1 + STEPS // 2
    assert np.allclose(cell(picture, 0, middle, autoencoder, margin), [0.5, 0.6], atol=1.5 * BIT)
    assert np.allclose(cell(picture, 1, middle, autoencoder, margin), [0.5, 0.5], atol=1.5 * BIT)


def test_a_traversal_goes_over_the_measured_range_with_others_at_their_default() -> None:
    autoencoder = Bands(2, 3)
    picture = traversals(autoencoder)
    margin = margin_of(picture, autoencoder, COLUMNS)
    assert np.allclose(cell(picture, 1, 0, autoencoder, margin), [0.5, 0.2], atol=BIT)
    assert np.allclose(cell(picture, 1, COLUMNS - 1, autoencoder, margin), [0.5, 0.8], atol=BIT)


def test_an_animation_goes_there_and_back_and_an_idle_one_takes_as_long(tmp_path: Path) -> None:
    draw(context(Bands(2, idle=(1,))), tmp_path, ["traversals"])
    with Image.open(tmp_path / "traversal-z0.gif") as animation:
        assert animation.n_frames == 2 * FRAMES - 2
        seen, lasts = [], 0
        for i in range(animation.n_frames):
            animation.seek(i)
            lasts += animation.info["duration"]
            seen.append(int(np.asarray(animation.convert("L"))[10, 10]))
        assert animation.info["loop"] == 0
    assert np.allclose(seen[:FRAMES], np.linspace(0.2, 0.8, FRAMES) * 255, atol=1)
    assert seen[FRAMES:] == seen[1 : FRAMES - 1][::-1]
    with Image.open(tmp_path / "traversal-z1.gif") as still:
        assert still.n_frames == 1
        assert still.info["duration"] == lasts == 80 * (2 * FRAMES - 2)


def test_t_sne_keeps_clusters_apart() -> None:
    classes = np.arange(120) % 2
    codes = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32) + 30 * classes[:, None]
    two = Attribute(name="two", kind="nominal", size=2, labels=("a", "b"), default="a")
    picture = tsne(LabelledCodes(codes, classes, two), "codes", seed=1)
    panel = picture[40:, :700].astype(int)  # without title and legend
    red_over_blue = panel[..., 0] - panel[..., 2]
    blue, orange = np.argwhere(red_over_blue < -50), np.argwhere(red_over_blue > 50)
    apart = np.linalg.norm(blue.mean(axis=0) - orange.mean(axis=0))
    assert apart > 2 * max(blue.std(axis=0).max(), orange.std(axis=0).max())


def test_t_sne_leaves_out_codes_that_are_all_alike() -> None:
    alive = [file for file, _ in PICTURES["tsne"](context(Bands(3)))]
    collapsed = [file for file, _ in PICTURES["tsne"](context(Bands(3, idle=(0, 1, 2))))]
    assert (alive, collapsed) == (["tsne-codes.png"], [])


def test_a_circle_of_classes_closes_in_colour_and_shows_on_white() -> None:
    turn = Attribute(name="turn", kind="circular", size=40, period=39)

    def colour(place: int) -> NDArray[np.float64]:
        picture = scatter(np.zeros((500, 2)), np.full(500, place), turn, ["x", "y"])
        panel = picture[20:600, 80:600].reshape(-1, 3).astype(float)
        return panel[np.ptp(panel, axis=1).argmax()]

    first, quarter, half, last = (colour(place) for place in (0, 10, 19, 38))
    assert np.abs(first - last).max() < 50 < min(np.abs(first - half).max(), np.abs(first - quarter).max())
    assert max(each.min() for each in (first, quarter, half, last)) < 100


def test_panels_of_curves_share_their_axis_of_images() -> None:
    rows = [{"images": float(i), "train.loss": 1.0} for i in range(100)]
    early = [{**row, "train.kl": 2.0} if row["images"] < 50 else row for row in rows]
    picture = curves({"run": early})
    third = picture.shape[1] // 3
    blue = (picture[40:, :, 2].astype(int) - picture[40:, :, 0]) > 80
    ends = [blue[:, i * third : (i + 1) * third].any(axis=0).nonzero()[0].max() for i in range(2)]
    assert ends[1] < 0.7 * ends[0], "half as many images reach half as far"


def test_a_caption_stands_below_the_picture() -> None:
    picture = np.full((30, 40, 4), 7, np.uint8)
    below = captioned(picture, "a caption that is wider than the picture")
    assert (below[:30, :40] == picture).all()
    assert below.shape[1] > 40
    assert (below[30:, 40:, :3] < 100).any()


def test_classes_that_no_image_has_are_named_all_the_same() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    one, all_of_them = (scatter(points, np.arange(20) % n, KIND, ["x", "y"]) for n in (1, 3))
    assert (one[:, 720:] == all_of_them[:, 720:]).all()
