from pathlib import Path

import numpy as np
from PIL import Image

from attributes import Attribute
from tests.training.plots.toys import BIT, Bands, cell, context, margin_of
from training.inference import TorchAutoencoder
from training.plots import draw
from training.plots.pictures import COLUMNS, GAP
from training.plots.traversals import FRAMES, axis_values, traversals
from training.runs import Run


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


def test_traversals_have_a_named_row_for_each_attribute(small_run: Run) -> None:
    autoencoder = TorchAutoencoder(small_run.load())
    book = autoencoder.codebook
    picture = traversals(autoencoder)
    height, width = 5 * (64 + GAP) + GAP, COLUMNS * (64 + GAP) + GAP
    assert picture.shape[0] == height
    margin = picture.shape[1] - width
    dark = (picture[:, :margin] < 128).any(axis=(1, 2)).nonzero()[0]
    assert {int(row) // (64 + GAP) for row in dark} == {0, 1, 2, 3, 4}
    first = picture[GAP : GAP + 64, margin + GAP : margin + GAP + 64, 0]
    expected = autoencoder.decode(book.place(book.attributes.weights({"shape": "square"})[None]))[0, :, :, 0]
    assert (first == np.rint(expected * 255)).all()


def test_an_axis_goes_from_end_to_end() -> None:
    assert axis_values(Attribute(name="a", kind="ordinal", size=3), 5) == [0, 0.5, 1, 1.5, 2]
    assert axis_values(Attribute(name="a", kind="circular", size=4, period=4), 4) == [0, 1, 2, 3]
    assert axis_values(Attribute(name="a", kind="nominal", size=2, labels=("x", "y"), default="x"), 9) == [0, 1]
    assert axis_values(Attribute(name="a", kind="continuous", range=(-1, 1), limits=(-9, 9)), 3) == [-1, 0, 1]
