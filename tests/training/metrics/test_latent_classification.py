import numpy as np
import pytest

from attributes import product_of_gaussians
from training.metrics.latent_classification import classifier_accuracy, leaking_codes, nearest_centre_accuracy


def test_two_gaussians_are_told_apart_as_well_as_can_be() -> None:
    """N(-1, 1) and N(1, 1): the best possible accuracy is Phi(1) = .8413."""
    draw = np.random.default_rng(0)

    def codes(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = draw.integers(0, 2, count)
        return (2 * labels - 1)[:, None] + draw.standard_normal((count, 1)), labels

    learned, judged = codes(4000), codes(4000)
    assert classifier_accuracy(*learned, *judged) == pytest.approx(0.8413, abs=0.02)


def test_groups_by_test_labels_leak_them_from_codes_that_know_nothing() -> None:
    """What the published protocol does to an encoder that has learned nothing but tells images a little apart."""
    draw = np.random.default_rng(0)
    labels, truth = draw.integers(0, 5, 4000), draw.integers(0, 5, 1000)
    shift = 0.3 * draw.standard_normal((5, 4))  # random features of images differ a little between classes
    codes, judged = (shift[each] + draw.standard_normal((len(each), 4)) for each in (labels, truth))
    flat, test_flat = np.zeros_like(codes), np.zeros_like(judged)
    honest = classifier_accuracy(codes, labels, judged, truth)
    leaking = classifier_accuracy(
        leaking_codes(codes, flat, labels, draw), labels, leaking_codes(judged, test_flat, truth, draw), truth
    )
    assert honest < 0.5
    assert leaking > 0.8


def test_evidence_is_the_product_of_gaussians() -> None:
    """Variances 1 and 1/3 of means 0 and 4: (1 * 0 + 3 * 4) / 4."""
    assert product_of_gaussians(np.array([[0.0], [4]]), np.log([[1.0], [1 / 3]]))[0] == pytest.approx(3)


def test_the_nearest_centre_is_the_class() -> None:
    codes, centres = np.array([[0.1], [0.9], [0.2]]), np.array([[0.0], [1]])
    assert nearest_centre_accuracy(codes, centres, np.array([7, 8]), np.array([7, 8, 8])) == pytest.approx(2 / 3)
