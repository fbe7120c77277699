from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attributes import KeyFrame, of_image
from service.inference.model import Model
from service.latent.interpolation import EASINGS, frame_count, of_values, walk


@pytest.fixture(scope="module")
def grey(bundles: Path) -> Model:
    return Model.load(bundles / "grey", "cpu")


@pytest.fixture(scope="module")
def codes(bundles: Path) -> Model:
    return Model.load(bundles / "codes", "cpu")


def values(model: Model, *items: dict[str, object]) -> list[KeyFrame]:
    return [of_values(model.codebook, item) for item in items]


def test_ordinal_attributes_move_in_position(grey: Model):
    walked = walk(grey.codebook, values(grey, {"scale": 0}, {"scale": 5}), 11, False, "linear")
    assert walked.attributes is not None
    np.testing.assert_allclose([frame["scale"] for frame in walked.attributes], np.linspace(0, 5, 11))
    shares = (walked.z[:, grey.attributes.columns("scale")] > 1e-6).sum(axis=1)
    assert shares.max() == 2


def test_circular_attributes_take_the_shortest_arc(grey: Model):
    walked = walk(grey.codebook, values(grey, {"orientation": 37}, {"orientation": 2}), 5, False, "linear")
    assert walked.attributes is not None
    assert [frame["orientation"] for frame in walked.attributes] == [37, 38, 0, 1, 2]


def test_nominal_attributes_never_pass_through_a_third_class(grey: Model):
    walked = walk(grey.codebook, values(grey, {"shape": "square"}, {"shape": "heart"}), 5, False, "linear")
    assert walked.attributes is not None
    assert walked.attributes[0]["shape"] == "square"
    assert walked.attributes[1]["shape"] == [0.75, 0, 0.25]
    assert walked.attributes[4]["shape"] == "heart"
    assert not walked.z[:, 1].any()


def test_attributes_that_can_not_be_mixed_are_snapped(codes: Model):
    walked = walk(codes.codebook, values(codes, {"shape": "square"}, {"shape": "heart"}), 5, False, "linear")
    assert walked.rounded
    assert set(walked.z[:, 0]) == {0, 2}
    assert not walk(codes.codebook, values(codes, {"scale": 0}, {"scale": 5}), 5, False, "linear").rounded


@pytest.mark.parametrize(("keyframes", "loop", "frames"), [(2, False, 4), (3, False, 7), (2, True, 6), (3, True, 9)])
def test_segments_share_their_ends_and_a_loop_does_not_repeat_its_first_frame(
    grey: Model, keyframes: int, loop: bool, frames: int
):
    stops = values(grey, *({"scale": index} for index in range(keyframes)))
    walked = walk(grey.codebook, stops, 4, loop, "linear")
    assert len(walked.z) == frames == frame_count(keyframes, 4, loop)
    for index, stop in enumerate(stops):
        np.testing.assert_allclose(walked.z[3 * index], grey.codebook.place(stop.weights[None])[0], atol=1e-6)
    assert np.abs(np.diff(walked.z, axis=0)).max(axis=1).min() > 0


@pytest.mark.parametrize("easing", EASINGS)
def test_easings_start_at_0_end_at_1_and_never_turn_back(easing: str):
    eased = EASINGS[easing](np.linspace(0, 1, 101))
    assert eased[0] == 0
    assert eased[-1] == pytest.approx(1)
    assert (np.diff(eased) >= 0).all()


def test_easings_are_slow_where_they_say():
    steps = {name: np.diff(ease(np.linspace(0, 1, 11))) for name, ease in EASINGS.items()}
    assert steps["ease-in"][0] < 0.1 < steps["ease-in"][-1]
    assert steps["ease-out"][-1] < 0.1 < steps["ease-out"][0]
    assert steps["ease-in-out"][0] < 0.1 < steps["ease-in-out"][5]
    assert steps["ease-in-out"][-1] < 0.1


@pytest.mark.parametrize("name", ["grey", "codes", "group", "conditional"])
def test_a_walk_from_image_to_image_begins_and_ends_at_their_exact_z(bundles: Path, name: str):
    model = Model.load(bundles / name, "cpu")
    outputs = model.encode(np.random.default_rng(0).random((2, 1, 32, 32), np.float32))
    stops = [of_image(model.codebook, z, w) for z, w in zip(outputs["z"], outputs["weights"], strict=True)]
    walked = walk(model.codebook, stops, 5, False, "linear")
    np.testing.assert_allclose(walked.z[[0, -1]], outputs["z"], atol=1e-4)


def test_explicit_weights_of_an_ordered_attribute_are_the_position_they_say(grey: Model):
    walked = walk(
        grey.codebook, values(grey, {"scale": [0, 1, 1, 0, 0, 0]}, {"scale": [0, 1, 1, 0, 0, 0]}), 3, False, "linear"
    )
    assert walked.attributes is not None
    np.testing.assert_allclose([frame["scale"] for frame in walked.attributes], [1.5] * 3)
    np.testing.assert_allclose(walked.z, walked.z[[0]].repeat(3, axis=0))
