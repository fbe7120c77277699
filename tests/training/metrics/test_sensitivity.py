import numpy as np

from training.metrics.sensitivity import first_order


def test_the_sensitivity_of_an_additive_function_is_its_share_of_the_variance() -> None:
    """y = a x: S_i = a_i^2 var_i / sum, here for two pixels."""
    draw = np.random.default_rng(0)
    sample = draw.normal(0, [1, 2, 3], (5000, 3))
    weights = np.array([[3.0, 0], [1, 0], [0, 5]])
    found = first_order(lambda points: points @ weights, sample, seed=0, samples=2048)
    first = np.array([9 * 1, 1 * 4]) / 13
    np.testing.assert_allclose(found.pixels[:, 0], [*first, 0], atol=0.05)
    np.testing.assert_allclose(found.pixels[:, 1], [0, 0, 1], atol=0.05)
    total = 9 + 4 + 25 * 9
    np.testing.assert_allclose(found.overall, [9 / total, 4 / total, 225 / total], atol=0.05)


def test_ishigami_s_function_has_its_published_indices() -> None:
    """Ishigami and Homma 1990, a = 7, b = .1: first-order indices .3139, .4424, 0."""
    sample = np.random.default_rng(0).uniform(-np.pi, np.pi, (20_000, 3))

    def ishigami(x: np.ndarray) -> np.ndarray:
        return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, None]

    found = first_order(ishigami, sample, seed=0, samples=4096)
    np.testing.assert_allclose(found.overall, [0.3139, 0.4424, 0], atol=0.03)
