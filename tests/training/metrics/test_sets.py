"""Set metrics that look at a codec: on codecs whose answers are known, and on closed forms."""

import numpy as np
import pytest

from attributes import product_of_gaussians
from tests.training.metrics.oracles import FreeOracle, LabelOracle, RenderingOracle
from training.data.dsprites import COUNT, RenderedDSprites
from training.metrics import SET_METRICS, chosen, score_set
from training.metrics.calibration import expected_calibration_error
from training.metrics.context import EvaluationContext
from training.metrics.latent_classification import accuracy, leaked, nearest
from training.metrics.latents import table
from training.metrics.sensitivity import sobol
from training.metrics.smoothness import evenness

ROWS = np.random.default_rng(0).integers(0, COUNT, 600)


@pytest.fixture(scope="module")
def dataset() -> RenderedDSprites:
    return RenderedDSprites()


def test_a_codec_that_renders_is_faithful_between_classes(dataset: RenderedDSprites) -> None:
    scores = score_set(RenderingOracle(), dataset, ROWS[:100], ["fidelity"])
    assert set(scores) == {f"fidelity.{name}" for name in ("scale", "orientation", "pos_x", "pos_y")}
    assert all(score.mean == pytest.approx(1, abs=1e-3) for score in scores.values())


def test_a_codec_that_snaps_to_classes_is_not(dataset: RenderedDSprites) -> None:
    scores = score_set(RenderingOracle(snap=True), dataset, ROWS[:100], ["fidelity"])
    assert scores["fidelity.pos_x"].mean < 0.99
    assert scores["fidelity.scale"].mean < 0.95


def test_confidence_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    """By hand: 7 of 10 right at .7 and 9 of 10 at .9 leave no gap; at .9 and .8 a gap of .2 and one of .1."""
    right = np.array([True] * 7 + [False] * 3 + [True] * 9 + [False])
    honest, boastful = np.repeat([0.7, 0.9], 10), np.repeat([0.9, 0.8], 10)
    assert expected_calibration_error(honest, right) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(boastful, right) == pytest.approx((0.2 + 0.1) / 2)


def test_an_alias_counts_as_its_class_for_calibration(dataset: RenderedDSprites) -> None:
    """Orientation 39 shows what 0 shows: whoever halves the two is sure of the class, and right."""
    scores = score_set(LabelOracle(dataset, ROWS), dataset, ROWS, ["calibration"])
    assert set(scores) == {f"calibration.{name}" for name in ("shape", "scale", "orientation", "pos_x", "pos_y")}
    assert all(score.mean == pytest.approx(0, abs=1e-6) for score in scores.values())


def test_even_steps_along_a_line_are_smooth_and_straight() -> None:
    line = np.outer(np.arange(6.0), [1.0, 2.0])
    assert evenness(line) == (pytest.approx(1), pytest.approx(1))


def test_a_single_jump_is_as_uneven_as_can_be() -> None:
    jump = np.array([[0.0], [0], [0], [1], [1]])
    assert evenness(jump) == (pytest.approx(1 / 4), pytest.approx(1))


def test_a_detour_is_not_straight() -> None:
    """Along two sides of a square: sqrt(2) / 2."""
    corner = np.array([[0.0, 0], [1, 0], [1, 1]])
    assert evenness(corner) == (pytest.approx(1), pytest.approx(2**0.5 / 2))


def test_nothing_that_changes_has_no_smoothness() -> None:
    assert np.isnan(evenness(np.zeros((4, 3)))).all()


def test_active_latents_follow_their_factor(dataset: RenderedDSprites) -> None:
    rows = table(EvaluationContext(FreeOracle(dataset, ROWS), dataset, ROWS))
    assert [(row.name, row.factor) for row in rows[:2]] == [("z0", "pos_x"), ("z1", "scale")]
    assert [row.variance for row in rows] == [pytest.approx(0.01), pytest.approx(0.05), pytest.approx(1)]
    scores = score_set(FreeOracle(dataset, ROWS), dataset, ROWS, ["latents"])
    assert scores["active.below_0.1"].mean == 2
    assert scores["follows.pos_x"].mean == 1
    assert scores["follows.shape"].mean == 0


def test_the_sensitivity_of_an_additive_function_is_its_share_of_the_variance() -> None:
    """y = a x: S_i = a_i^2 var_i / sum, here for two pixels."""
    draw = np.random.default_rng(0)
    sample = draw.normal(0, [1, 2, 3], (5000, 3))
    weights = np.array([[3.0, 0], [1, 0], [0, 5]])
    found = sobol(lambda points: points @ weights, sample, seed=0, draws=2048)
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

    found = sobol(ishigami, sample, seed=0, draws=4096)
    np.testing.assert_allclose(found.overall, [0.3139, 0.4424, 0], atol=0.03)


class TestLatentClassification:
    def test_two_gaussians_are_told_apart_as_well_as_can_be(self) -> None:
        """N(-1, 1) and N(1, 1): the best possible accuracy is Phi(1) = .8413."""
        draw = np.random.default_rng(0)

        def codes(count: int) -> tuple[np.ndarray, np.ndarray]:
            labels = draw.integers(0, 2, count)
            return (2 * labels - 1)[:, None] + draw.standard_normal((count, 1)), labels

        learned, judged = codes(4000), codes(4000)
        assert accuracy(*learned, *judged) == pytest.approx(0.8413, abs=0.02)

    def test_groups_by_test_labels_leak_them_from_codes_that_know_nothing(self) -> None:
        """What the published protocol does to an encoder that has learned nothing but tells images a little apart."""
        draw = np.random.default_rng(0)
        labels, truth = draw.integers(0, 5, 4000), draw.integers(0, 5, 1000)
        shift = 0.3 * draw.standard_normal((5, 4))  # random features of images differ a little between classes
        codes, judged = (shift[each] + draw.standard_normal((len(each), 4)) for each in (labels, truth))
        flat, test_flat = np.zeros_like(codes), np.zeros_like(judged)
        honest = accuracy(codes, labels, judged, truth)
        leaking = accuracy(leaked(codes, flat, labels, draw), labels, leaked(judged, test_flat, truth, draw), truth)
        assert honest < 0.5
        assert leaking > 0.8

    def test_evidence_is_the_product_of_gaussians(self) -> None:
        """Variances 1 and 1/3 of means 0 and 4: (1 * 0 + 3 * 4) / 4."""
        assert product_of_gaussians(np.array([[0.0], [4]]), np.log([[1.0], [1 / 3]]))[0] == pytest.approx(3)

    def test_the_nearest_centre_is_the_class(self) -> None:
        codes, centres = np.array([[0.1], [0.9], [0.2]]), np.array([[0.0], [1]])
        assert nearest(codes, centres, np.array([7, 8]), np.array([7, 8, 8])) == pytest.approx(2 / 3)


def test_an_unknown_metric_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no metric 'mug'; there is: calibration, fidelity, .*mig"):
        chosen(["mug"])
    assert chosen(["all"]) == list(SET_METRICS)
