"""The renderer against real images, closed forms and a slow exact fill."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.dsprites import ATTRIBUTES, COUNT, classes_of
from training.data.dsprites_renderer import render

Images = NDArray[np.uint8]
SHAPES = ("square", "ellipse", "heart")
CENTRES = np.arange(64) + 0.5


def centre_of(pos: NDArray[np.float64]) -> NDArray[np.float64]:
    """Position index to px, as published: 32 steps over the middle half of the image."""
    return 16 + 32 * pos / 31


def centroids(images: Images) -> NDArray[np.float64]:
    """Mean (x, y) of the set pixels [B, 2]."""
    sums = np.stack([images.sum(axis=1) @ CENTRES, images.sum(axis=2) @ CENTRES], axis=1)
    means: NDArray[np.float64] = sums / images.sum(axis=(1, 2))[:, None]
    return means


# the renderer and the real images


@pytest.mark.parametrize("shape", range(3), ids=SHAPES)
def test_rendered_images_are_the_real_ones(shape: int, real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        images, classes = arrays["imgs"], arrays["latents_classes"][:, -5:]
    chosen = classes[:, 0] == shape
    exact = (render(*classes[chosen].T) == images[chosen]).all(axis=(1, 2))
    print(f"{ATTRIBUTES['shape'].labels[shape]}: {exact.sum():,} of {chosen.sum():,} real images are exact")
    assert chosen.sum() > 6000
    assert exact.mean() >= 0.999


# closed forms


def test_orientation_39_is_orientation_0() -> None:
    classes = classes_of(np.random.default_rng(1).integers(0, COUNT, 500)).T
    shape, scale, _, x, y = classes
    assert np.array_equal(render(shape, scale, 0, x, y), render(shape, scale, 39, x, y))
    assert np.array_equal(render(shape, scale, 0.5, x, y), render(shape, scale, 39.5, x, y))


@pytest.mark.parametrize("axis", ["x", "y"])
def test_31_steps_of_position_are_exactly_32_pixels(axis: str) -> None:
    shape, scale, orientation, x, y = classes_of(np.random.default_rng(2).integers(0, COUNT, 500)).T
    first, last = (render(shape, scale, orientation, *((at, y) if axis == "x" else (x, at))) for at in (0, 31))
    if axis == "y":
        first, last = first.swapaxes(1, 2), last.swapaxes(1, 2)
    assert not first[:, :, 32:].any()
    assert np.array_equal(last, np.roll(first, 32, axis=2))


def test_an_upright_square_covers_the_pixel_centres_within_half_its_side() -> None:
    draw = np.random.default_rng(3)
    scale, pos_x, pos_y = draw.uniform(0, 5, 300), draw.uniform(0, 31, 300), draw.uniform(0, 31, 300)
    half = (9.6 * (0.5 + 0.1 * scale))[:, None]
    off_x, off_y = CENTRES - centre_of(pos_x)[:, None], CENTRES - centre_of(pos_y)[:, None]
    snap = 1 / 256  # corners lie on a grid of that step: pixels so near an edge are left open
    surely = ((np.abs(off_y) < half - snap)[:, :, None]) & ((np.abs(off_x) < half - snap)[:, None, :])
    perhaps = ((np.abs(off_y) <= half + snap)[:, :, None]) & ((np.abs(off_x) <= half + snap)[:, None, :])
    images = render(0, scale, 0, pos_x, pos_y).astype(bool)
    assert (images >= surely).all()
    assert (images <= perhaps).all()
    assert (surely != perhaps).mean() < 0.001


def test_left_and_bottom_edges_through_pixel_centres_belong_right_and_top_ones_do_not() -> None:
    scale = (4.5 / 9.6 - 0.5) / 0.1  # half a side is 4.5 px
    middle = (32 - 16) * 31 / 32  # centre at 32.0: edges at 27.5 and 36.5
    (image,) = render(0, scale, 0, middle, middle)
    assert np.flatnonzero(image.any(axis=0)).tolist() == list(range(27, 36))
    assert np.flatnonzero(image.any(axis=1)).tolist() == list(range(28, 37))


@pytest.mark.parametrize("shape", range(3), ids=SHAPES)
def test_fractional_positions_move_the_image_steadily(shape: int) -> None:
    """The square's centroid is the position itself; the other shapes' are a fixed distance from it."""
    pos = np.linspace(0, 31, 311)
    x, y = centroids(render(shape, 5, 0, pos, 15.5))[:, 0], centroids(render(shape, 5, 0, 15.5, pos))[:, 1]
    for measured in (x, y):
        assert (np.diff(measured) > -0.05).all(), "at most what single pixels at the edge weigh"
        offset = measured - centre_of(pos)
        assert np.ptp(offset) <= 1.01, "a raster moves in whole pixels"
        if shape == 0:
            assert np.abs(offset).max() <= 0.5 + 1 / 256


def test_fractional_positions_move_a_square_monotonically() -> None:
    pos = np.linspace(0, 31, 1000)
    assert (np.diff(centroids(render(0, 5, 0, pos, 10))[:, 0]) >= 0).all()
    assert (np.diff(centroids(render(0, 5, 0, 10, pos))[:, 1]) >= 0).all()


@pytest.mark.parametrize("shape", range(3), ids=SHAPES)
def test_the_area_is_that_of_the_outline_at_any_fractional_scale(shape: int) -> None:
    """Mean over places and turns, as a single raster is off by its edge pixels."""
    orientation, pos_x, pos_y = np.random.default_rng(6).uniform(0, [[39], [31], [31]], (3, 2000))
    t = np.linspace(0, 2 * np.pi, 10_001)[:-1]
    heart_y = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 14.5
    heart = 2 * math.pi * abs((heart_y * 3 * np.sin(t) ** 2 * np.cos(t)).mean())  # the integral of y dx
    at_scale_1 = 9.6**2 * [4, math.pi, heart][shape]
    for scale in (0, 0.3, 1.7, 2.5, 4.9):
        area = render(shape, scale, orientation, pos_x, pos_y).sum(axis=(1, 2)).mean()
        assert area == pytest.approx(at_scale_1 * (0.5 + 0.1 * scale) ** 2, rel=0.005)


def test_fractional_orientations_turn_the_image_steadily() -> None:
    """The principal axis of the ellipse is its orientation, counter-clockwise as seen, modulo half a turn."""
    orientation = np.linspace(0, 19, 191)
    images = render(1, 5, orientation, 15.5, 15.5).astype(float)
    x, y = np.meshgrid(CENTRES, CENTRES)
    (mx, my), area = centroids(images.astype(np.uint8)).T[:, :, None, None], images.sum(axis=(1, 2))
    xx, yy, xy = ((images * m).sum(axis=(1, 2)) / area for m in ((x - mx) ** 2, (y - my) ** 2, (x - mx) * (y - my)))
    measured = 0.5 * np.arctan2(-2 * xy, xx - yy)
    expected = orientation * 2 * np.pi / 39
    wrong = (measured - expected + np.pi / 2) % np.pi - np.pi / 2
    assert np.abs(wrong).max() < math.atan(1 / 12.768), "within one pixel at the ellipse's tip, half a class"


# an independent fill


def outline(shape: int) -> list[tuple[float, float]]:
    if shape == 0:
        return [(-9.6, -9.6), (9.6, -9.6), (9.6, 9.6), (-9.6, 9.6)]
    if shape == 1:
        turns = [2 * math.pi * i / 100 for i in range(100)]
        return [(9.6 * 1.33 * math.cos(t), 9.6 / 1.33 * math.sin(t)) for t in turns]
    turns = [2 * math.pi * i / 150 for i in range(150)]
    heights = [
        (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 14.5 + 0.15 for t in turns
    ]
    return [(9.6 * math.sin(t) ** 3, -9.6 * height) for t, height in zip(turns, heights, strict=True)]


def fill_slowly(shape: int, scale: float, orientation: float, pos_x: float, pos_y: float) -> list[list[int]]:
    """Even-odd rule for every pixel and every edge, in whole numbers of 1/256 px, hence exact."""
    cos, sin = math.cos(orientation * 2 * math.pi / 39), math.sin(orientation * 2 * math.pi / 39)
    corners = []
    for x, y in outline(shape):
        turned = (cos * x + sin * y, -sin * x + cos * y)
        at = [16 + 32 * p / 31 + (0.5 + 0.1 * scale) * q for p, q in zip((pos_x, pos_y), turned, strict=True)]
        corners.append(tuple(math.floor(256 * each + 0.5) for each in at))
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))

    def inside(column: int, row: int) -> int:
        px, py = 256 * column + 128, 256 * row + 128
        crossings = 0
        for (x0, y0), (x1, y1) in edges:
            if (y0 < py) != (y1 < py):
                height = y1 - y0
                right_of = (px - x0) * height - (x1 - x0) * (py - y0)  # >= 0 where the edge lies left, times height
                crossings += right_of >= 0 if height > 0 else right_of <= 0
        return crossings % 2

    return [[inside(column, row) for column in range(64)] for row in range(64)]


@pytest.mark.parametrize("shape", range(3), ids=SHAPES)
def test_fractional_values_are_rendered_as_a_slow_exact_fill_does(shape: int) -> None:
    for values in np.random.default_rng(shape).uniform(0, [5, 39, 31, 31], (5, 4)):
        assert render(shape, *values)[0].tolist() == fill_slowly(shape, *values.tolist())
