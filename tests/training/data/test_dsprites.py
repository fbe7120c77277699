"""dSprites: the renderer against real images, closed forms and a slow exact fill; files."""

import hashlib
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.dataset import DataError
from training.data.dsprites import (
    ATTRIBUTES,
    CEILINGS,
    COUNT,
    DSpritesFile,
    RenderedDSprites,
    canonical_keys,
    classes_of,
    render,
)

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


def test_rows_lie_where_the_original_has_them(real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        rows, classes = arrays["original_dataset_indices"], arrays["latents_classes"][:, -5:]
    assert np.array_equal(classes_of(rows), classes)


def test_units_are_those_of_the_original(real_dsprites: Path) -> None:
    with np.load(real_dsprites) as arrays:
        classes, values = arrays["latents_classes"][:, -5:], arrays["latents_values"][:, -5:]
    for i, attribute in enumerate(ATTRIBUTES):
        if attribute.name != "shape":
            assert attribute.in_unit(classes[:, i]) == pytest.approx(values[:, i])


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


# the whole data set


def test_a_batch_has_images_one_hot_targets_and_everything_known() -> None:
    dataset = RenderedDSprites()
    assert (len(dataset), dataset.image_shape) == (737_280, (64, 64, 1))
    row = 2 * 245_760 + 4 * 40_960 + 39 * 1024 + 7 * 32 + 31
    images, targets, known = dataset.batch(np.array([row, 0]))
    assert images.dtype == np.uint8
    assert (images.shape, targets.shape) == ((2, 64, 64, 1), (2, 113))
    assert np.unique(images).tolist() == [0, 255]
    assert np.array_equal(images[0, :, :, 0], 255 * render(2, 4, 39, 7, 31)[0])
    assert np.flatnonzero(targets[0]).tolist() == [2, 3 + 4, 9 + 39, 49 + 7, 81 + 31]
    assert np.flatnonzero(targets[1]).tolist() == [0, 3, 9, 49, 81]
    assert known.all()
    assert known.shape == (2, 5)


def test_keys_differ_for_all_combinations_but_one_angle_under_two_names() -> None:
    keys = canonical_keys(RenderedDSprites().classes).reshape(18, 40, 1024)
    assert len(np.unique(keys)) == COUNT // 40 * 39
    assert np.array_equal(keys[:, 0], keys[:, 39])


def test_ceilings_are_the_accuracy_of_the_best_possible_guess() -> None:
    """Over all images: guess the most frequent class among all combinations that look the same."""
    labels_of: dict[bytes, list[int]] = defaultdict(list)
    for rows in np.array_split(np.arange(COUNT), 180):
        packed = np.packbits(render(*classes_of(rows).T).reshape(len(rows), -1), axis=1)
        for row, image in zip(rows.tolist(), packed, strict=True):
            labels_of[hashlib.blake2b(image.tobytes(), digest_size=16).digest()].append(row)
    assert len(labels_of) == 715_706
    alike = [classes_of(np.array(rows)) for rows in labels_of.values() if len(rows) > 1]
    alone = len(labels_of) - len(alike)

    def ceiling(labels: list[list[Any]]) -> float:
        return (alone + sum(max(Counter(each).values()) for each in labels)) / COUNT

    found = {a.name: ceiling([rows[:, i].tolist() for rows in alike]) for i, a in enumerate(ATTRIBUTES)}
    found["orientation.merged"] = ceiling([(rows[:, 2] % 39).tolist() for rows in alike])
    found["all"] = ceiling([list(map(tuple, rows.tolist())) for rows in alike])
    assert found == pytest.approx(CEILINGS, abs=5e-5)
    assert (CEILINGS["orientation"], CEILINGS["orientation.merged"]) == (0.9707, 0.9957)


# files


def write(file: Path, **changes: Any) -> Path:
    """An npz of 50 rows as the original has them, with some arrays changed or left out (None)."""
    classes = classes_of(np.random.default_rng(4).permutation(COUNT)[:50])
    arrays = {"imgs": render(*classes.T), "latents_classes": np.pad(classes, ((0, 0), (1, 0)))} | changes
    present: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    np.savez_compressed(file, **present)
    return file


def test_a_file_gives_its_own_images_and_labels(real_dsprites: Path) -> None:
    dataset = DSpritesFile(real_dsprites)
    with np.load(real_dsprites) as arrays:
        images, classes = arrays["imgs"], arrays["latents_classes"][:, -5:]
    rows = np.array([19_999, 0, 77])
    batch = dataset.batch(rows)
    assert len(dataset) == 20_000
    assert np.array_equal(batch.images[..., 0], 255 * images[rows])
    for name, column in zip(("shape", "scale", "orientation", "pos_x", "pos_y"), classes[rows].T, strict=True):
        assert np.array_equal(batch.targets[:, ATTRIBUTES.columns(name)].argmax(axis=1), column)
    assert dataset.labelled.all()


@pytest.mark.parametrize("columns", [5, 6])
def test_a_file_may_have_the_colour_column_or_not(tmp_path: Path, columns: int) -> None:
    classes = classes_of(np.arange(50) * 14_000)
    given = np.pad(classes, ((0, 0), (columns - 5, 0)))
    dataset = DSpritesFile(write(tmp_path / "some.npz", imgs=render(*classes.T), latents_classes=given))
    rows = np.arange(50)
    assert np.array_equal(dataset.batch(rows).images, RenderedDSprites().batch(rows * 14_000).images)
    assert np.array_equal(dataset.batch(rows).targets, RenderedDSprites().batch(rows * 14_000).targets)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"imgs": None}, "not a dSprites npz"),
        ({"latents_classes": None}, "not a dSprites npz"),
        ({"imgs": np.array([{}])}, "not a dSprites npz"),
        ({"imgs": np.zeros((50, 64, 63), np.uint8)}, "imgs must be uint8"),
        ({"imgs": np.zeros((49, 64, 64), np.uint8)}, "imgs must be uint8"),
        ({"imgs": np.zeros((50, 64, 64))}, "imgs must be uint8"),
        ({"imgs": np.full((50, 64, 64), 255, np.uint8)}, "must hold 0 and 1"),
        ({"imgs": np.zeros((50, 64, 64), np.uint8)}, "is not the image that its classes describe"),
        ({"imgs": np.zeros((0, 64, 64), np.uint8), "latents_classes": np.zeros((0, 6), int)}, "lie outside"),
        ({"latents_classes": np.zeros(50, int)}, "latents_classes"),
        ({"latents_classes": np.zeros((50, 4), int)}, "lie outside"),
        ({"latents_classes": np.full((50, 6), 40)}, "lie outside"),
        ({"latents_classes": np.full((50, 6), -1)}, "lie outside"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, changes: dict[str, Any], hint: str) -> None:
    file = write(tmp_path / "some.npz", **changes)
    with pytest.raises(DataError) as caught:
        DSpritesFile(file)
    assert str(caught.value).startswith(str(file))
    assert hint in str(caught.value)


def test_a_file_whose_labels_are_mixed_up_is_refused(tmp_path: Path) -> None:
    classes = classes_of(np.arange(50) * 14_000)
    file = write(tmp_path / "some.npz", imgs=render(*classes[::-1].T), latents_classes=classes)
    with pytest.raises(DataError, match=r"row \d+ is not the image that its classes describe"):
        DSpritesFile(file)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 and then nothing"])
def test_what_is_no_npz_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "some.npz"
    file.write_bytes(data)
    with pytest.raises(DataError, match="not a dSprites npz"):
        DSpritesFile(file)
    with pytest.raises(DataError, match="no such file"):
        DSpritesFile(tmp_path / "missing.npz")


def test_a_cut_off_or_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "some.npz").read_bytes()
    for at in range(40, len(whole), len(whole) // 40):
        cut, damaged = whole[:at], whole[:at] + bytes(byte ^ 0x55 for byte in whole[at : at + 20]) + whole[at + 20 :]
        for data in (cut, damaged):
            (tmp_path / "bad.npz").write_bytes(data)
            with pytest.raises(DataError, match=r"bad\.npz"):
                DSpritesFile(tmp_path / "bad.npz")


def test_the_dataset_renders_what_lies_between_its_classes() -> None:
    positions = np.array([[2, 4.5, 12.25, 7.5, 31]])
    assert np.array_equal(RenderedDSprites().render(positions)[0, :, :, 0], 255 * render(*positions.T)[0])


def test_at_whole_positions_the_dataset_renders_its_own_images_and_all_are_labelled() -> None:
    dataset, rows = RenderedDSprites(), np.array([0, 77, 400_000, COUNT - 1])
    assert np.array_equal(dataset.render(classes_of(rows).astype(float)), dataset.batch(rows).images)
    assert dataset.labelled.shape == (COUNT, 5)
    assert dataset.labelled.all()
