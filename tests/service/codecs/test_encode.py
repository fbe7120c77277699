from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from service.codecs import encode as out


def frames(count: int, channels: int) -> np.ndarray:
    """Frames 9x7 of few colours, the first two the same, alpha 0 or 255."""
    rng = np.random.default_rng(channels)
    made = rng.integers(0, 3, (count, 9, 7, channels), np.uint8) * 100
    if channels == 4:
        made[..., 3] = np.where(made[..., 3] > 99, 255, 0)
    made[1:2] = made[:1]
    return made


def read(data: bytes, mode: str) -> np.ndarray:
    """All frames [N, H, W, C] of a file, by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            found.append(np.asarray(image.convert(mode)))
    array = np.stack(found)
    return array[..., None] if array.ndim == 3 else array


MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@pytest.mark.parametrize("media", [out.APNG, out.WEBP, out.GIF])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_animations_hold_every_frame_even_equal_ones(media: str, channels: int, count: int):
    made = frames(count, channels)
    found = read(out.encode(made, media, 1, 12, True), MODES[channels])
    assert len(found) == count
    if channels == 4:
        clear = made[..., 3] == 0
        np.testing.assert_array_equal(found[..., 3] == 0, clear)
        found, made = found[~clear], made[~clear]
    np.testing.assert_array_equal(found, made)


@pytest.mark.parametrize(("media", "duration"), [(out.APNG, 50), (out.WEBP, 50), (out.GIF, 50)])
def test_animations_run_at_the_frame_rate_and_repeat_if_they_loop(media: str, duration: int):
    for loop in (True, False):
        with Image.open(io.BytesIO(out.encode(frames(3, 3), media, 1, 20, loop))) as image:
            image.seek(1)
            image.load()
            assert image.info["duration"] == duration
            if media == out.GIF:
                assert image.info.get("loop") == (0 if loop else None)
            else:
                assert image.info["loop"] == (0 if loop else 1)


def delays(data: bytes) -> list[float]:
    """Milliseconds of each frame, by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            found.append(image.info["duration"])
    return found


@pytest.mark.parametrize("fps", [50, 50.1, 60, 99.9, 100])
def test_a_gif_of_more_than_50_frames_a_second_has_50(fps: float):
    assert delays(out.encode(frames(6, 1), out.GIF, 1, fps, True)) == [20] * 6


@pytest.mark.parametrize(("media", "tick"), [(out.GIF, 10), (out.WEBP, 1), (out.APNG, 0)])
@pytest.mark.parametrize("fps", [0.1, 7, 12, 23.976, 24, 25, 29.97, 30, 40, 49.9, 50])
def test_every_frame_begins_within_half_a_tick_of_its_time(media: str, tick: float, fps: float):
    found = delays(out.encode(frames(31, 1), media, 1, fps, True))
    begins = np.cumsum(found)
    np.testing.assert_allclose(begins, 1000 / fps * np.arange(1, 32), atol=tick / 2 + 1e-6, rtol=1e-9)


@pytest.mark.parametrize(("media", "tick"), [(out.WEBP, 1), (out.APNG, 0)])
@pytest.mark.parametrize("fps", [60, 100])
def test_other_animations_keep_a_higher_rate(media: str, tick: float, fps: float):
    found = delays(out.encode(frames(31, 1), media, 1, fps, True))
    np.testing.assert_allclose(np.cumsum(found), 1000 / fps * np.arange(1, 32), atol=tick / 2 + 1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_sheet_is_laid_out_row_by_row(channels: int):
    made = frames(5, channels)
    columns = out.sheet_columns(5, None)
    assert columns == 3
    image = read(out.encode(made, out.PNG, columns, 12, True), MODES[channels])[0]
    assert image.shape == (18, 21, channels)
    np.testing.assert_array_equal(image[9:, 7:14], made[4])
    assert not image[9:, 14:].any()


def test_columns_are_at_most_the_frames():
    assert out.sheet_columns(3, 10) == 3
    assert out.sheet_columns(3, 1) == 1
    assert out.sheet_columns(1, None) == 1
    assert out.sheet_columns(17, None) == 5


def test_npy_and_zip_hold_every_frame():
    made = frames(4, 3)
    np.testing.assert_array_equal(np.load(io.BytesIO(out.encode(made, out.NPY, 1, 12, True))), made)
    with zipfile.ZipFile(io.BytesIO(out.encode(made, out.ZIP, 1, 12, True))) as archive:
        assert archive.namelist() == ["000.png", "001.png", "002.png", "003.png"]
        np.testing.assert_array_equal(read(archive.read("003.png"), "RGB")[0], made[3])


def test_pixels_are_rounded_and_not_cut_off():
    values = np.array([0, 0.001, 0.0025, 0.499, 0.999, 1, 1.5, -1], np.float32).reshape(1, 1, 2, 4)
    assert out.to_frames(values).ravel().tolist() == [0, 0, 1, 127, 255, 255, 255, 0]


def test_pixels_are_rounded_half_to_even_one_image_or_many():
    values = np.random.default_rng(0).uniform(-0.1, 1.1, (5, 3, 16, 16)).astype(np.float32)
    values[0] = ((np.arange(768) % 255 + 0.5) / 255).reshape(3, 16, 16)
    found = out.to_frames(values)
    assert found.shape == (5, 16, 16, 3)
    products = np.float32(255) * values.clip(0, 1).transpose(0, 2, 3, 1)
    assert found.ravel().tolist() == [round(float(product)) for product in products.ravel()]
    np.testing.assert_array_equal(out.to_frames(values[:1]), found[:1])
