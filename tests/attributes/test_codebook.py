"""Where weights sit in latent space: a label in a plane with a row per class, an angle as a number, a free latent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from attributes import Attribute, Attributes, Codebook, Group, Part

KIND = Attribute(name="kind", kind="nominal", size=3, labels=("a", "b", "c"), default="a")
ANGLE = Attribute(name="angle", kind="circular", size=5, period=4)
FREE = Attribute(name="z0", kind="continuous", range=(-2, 2), limits=(-4, 4), default=0.5)
PARTS = (Part("kind", 0, 2), Part("angle", 2, 3, "nearest"), Part("z0", 3, 4))
ROWS = np.array([[0.0, 0], [4, 0], [0, 4]])
OFFSET = np.array([1, 1, 0, -1], np.float32)


def codebook(parts: tuple[Part, ...] = PARTS, tau: float = 1.0) -> Codebook:
    matrix = np.zeros((9, 4), np.float32)
    matrix[:3, :2], matrix[3:8, 2], matrix[8, 3] = ROWS, np.arange(5), 1
    return Codebook(Attributes([KIND, ANGLE, FREE]), parts, matrix, OFFSET, group=Group("kind", tau))


def weights(**values: object) -> np.ndarray:
    return Attributes([KIND, ANGLE, FREE]).weights(values)[None]


def test_weights_are_placed_between_the_rows_of_their_classes() -> None:
    z = codebook().place(weights(kind=[0, 1, 3], angle=2, z0=-3.5))
    np.testing.assert_allclose(z, [[1 + 1, 1 + 3, 2, -1 - 3.5]])
    assert z.dtype == np.float32


@pytest.mark.parametrize(("angle", "placed"), [(1.4, 1), (1.6, 2), (3.9, 0), (4, 0)])
def test_an_attribute_that_can_not_be_mixed_is_placed_at_the_most_probable_class(angle: float, placed: int) -> None:
    """Across the seam too: between 3 and 0 there is no 1.5."""
    given = weights(angle=angle)
    before = given.copy()
    assert codebook().place(given)[0, 2] == placed
    np.testing.assert_array_equal(given, before)
    assert codebook().snapped == ("angle",)


def test_the_most_probable_class_is_the_one_that_is_read() -> None:
    """Of any weights, on aliases too, even if all are negative, as a mixture's may be."""
    given = np.random.default_rng(0).normal(size=(200, 9)).astype(np.float32)
    np.testing.assert_array_equal(codebook().place(given)[:, 2], ANGLE.read(given[:, 3:8]).index)


def test_an_edit_keeps_what_attributes_do_not_tell() -> None:
    z = np.array([[1.3, 0.8, 3.2, 7]], np.float32)
    edited = codebook().edit(z, weights(kind="a", angle=3), weights(kind="b", angle=3))
    np.testing.assert_allclose(edited - z, [[4, 0, 0, 0]], atol=1e-6)


def test_an_edit_that_changes_nothing_keeps_z_to_the_last_bit() -> None:
    draw = np.random.default_rng(0)
    z, same = draw.normal(size=(50, 4)).astype(np.float32), draw.random((50, 9))
    np.testing.assert_array_equal(codebook().edit(z, same, same), z)


def test_an_edit_there_and_back_comes_back() -> None:
    z = np.array([[1.3, 0.8, 3.2, 7]], np.float32)
    here, there = weights(kind="a", z0=1), weights(kind=[1, 2, 3], angle=2, z0=-1)
    np.testing.assert_allclose(codebook().edit(codebook().edit(z, here, there), there, here), z, atol=1e-6)


def test_evidence_is_the_product_of_the_images_gaussians() -> None:
    """Against the numerical product of the densities, and of one image its own Gaussian."""
    means, variances = np.array([[-1.0, 2], [2, 2.5], [0.5, 0]]), np.array([[0.5, 1], [2, 0.1], [1, 4]])
    mean, logvar = np.zeros((3, 4)), np.zeros((3, 4))
    mean[:, :2], logvar[:, :2] = means, np.log(variances)
    found, spread = codebook().evidence(mean, logvar)
    x = np.linspace(-10, 10, 200_001)
    for k in range(2):
        product = np.prod([norm.pdf(x, means[i, k], np.sqrt(variances[i, k])) for i in range(3)], axis=0)
        product /= trapezoid(product, x)
        centre = trapezoid(x * product, x)
        assert found[k] == pytest.approx(centre, abs=1e-6)
        assert np.exp(spread[k]) == pytest.approx(trapezoid((x - centre) ** 2 * product, x), rel=1e-5)
    alone, own = codebook().evidence(mean[:1], logvar[:1])
    np.testing.assert_allclose(alone, means[0])
    np.testing.assert_allclose(own, np.log(variances[0]))


def test_evidence_lies_nearer_to_the_surer_image() -> None:
    """Variances 1 and 1/3 make 1/4; means 0 and 4 make (0 + 3 * 4) / 4 = 3. Only the group's part counts."""
    mean = np.array([[0.0, 0, 99, 99], [4, 4, 99, 99]])
    found, spread = codebook().evidence(mean, np.log([[1.0, 1, 1, 1], [1 / 3] * 4]))
    assert found.tolist() == pytest.approx([3, 3])
    assert np.exp(spread).tolist() == pytest.approx([0.25, 0.25])


def test_evidence_of_an_image_that_is_sure_beyond_all_numbers_is_that_image() -> None:
    mean, logvar = np.array([[3.0, 3, 0, 0], [-3, -3, 0, 0]]), np.zeros((2, 4))
    logvar[0] = -2000  # exp(2000) is no float
    found, spread = codebook().evidence(mean, logvar)
    assert found.tolist() == [3, 3]
    assert spread.tolist() == [-2000, -2000]


def test_evidence_is_made_of_the_groups_own_codes() -> None:
    """Of a posterior that begins with another attribute's codes."""
    parts = (Part("kind", 0, 2, code=3), *PARTS[1:])
    mean = np.array([[9.0, 9, 9, 1, 2], [9, 9, 9, 3, 4]])
    found, _ = codebook(parts).evidence(mean, np.zeros((2, 5)))
    np.testing.assert_allclose(found, [2, 3])


def test_group_weights_are_those_of_equal_gaussians_around_the_rows() -> None:
    places = np.array([[1.0, 1], [3, 1], [2, 2], [60, -60]])
    rows = ROWS + OFFSET[:2]
    likely = norm.pdf(places[:3, None], rows, 1.5).prod(axis=2)
    found = codebook(tau=1.5).group_weights(places)
    np.testing.assert_allclose(found[:3], likely / likely.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found[3], [0, 1, 0], atol=1e-12)  # where all densities are 0
