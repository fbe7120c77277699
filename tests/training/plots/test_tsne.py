import numpy as np

from attributes import Attribute
from tests.training.plots.toys import Bands, context
from training.plots import PICTURES
from training.plots.scatter import LabelledCodes
from training.plots.tsne import tsne


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
