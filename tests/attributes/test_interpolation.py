"""Interpolation along axes: which frames there are, where they begin and end, and how easings go."""

from __future__ import annotations

import numpy as np
import pytest

from attributes import (
    EASINGS,
    Attribute,
    Attributes,
    AttributeValueError,
    Codebook,
    Easing,
    KeyFrame,
    Part,
    frame_count,
    interpolate,
    key_frame_of_image,
    key_frame_of_values,
)

KIND = Attribute(name="kind", kind="nominal", size=3, labels=("a", "b", "c"), default="a")
LEVEL = Attribute(name="level", kind="ordinal", size=6)
ANGLE = Attribute(name="angle", kind="circular", size=5, period=4)
FREE = Attribute(name="z0", kind="continuous", range=(-2, 2), limits=(-4, 4), default=0.5)
ATTRIBUTES = Attributes([KIND, LEVEL, ANGLE, FREE])
PARTS = (Part("kind", 0, 2), Part("level", 2, 3), Part("angle", 3, 4, "nearest"), Part("z0", 4, 5))
OFFSET = np.array([1, 1, 0, 0, -1], np.float32)


@pytest.fixture
def codebook() -> Codebook:
    """A class in a plane, a level and an angle as numbers, and a free latent."""
    matrix = np.zeros((15, 5), np.float32)
    matrix[:3, :2] = [[0, 0], [4, 0], [0, 4]]
    matrix[3:9, 2], matrix[9:14, 3], matrix[14, 4] = np.arange(6), np.arange(5), 1
    return Codebook(ATTRIBUTES, PARTS, matrix, OFFSET)


def values(codebook: Codebook, *items: dict[str, object]) -> list[KeyFrame]:
    return [key_frame_of_values(codebook, item) for item in items]


def positions(codebook: Codebook, key_frames: list[KeyFrame], steps: int, name: str) -> list[float]:
    weights = interpolate(codebook, key_frames, steps).weights
    return list(ATTRIBUTES.named(name).read(weights[:, ATTRIBUTES.columns(name)]).position)


def test_ordinal_attributes_move_in_position(codebook: Codebook) -> None:
    key_frames = values(codebook, {"level": 0}, {"level": 5})
    np.testing.assert_allclose(positions(codebook, key_frames, 11, "level"), np.linspace(0, 5, 11))
    weights = interpolate(codebook, key_frames, 11).weights[:, ATTRIBUTES.columns("level")]
    assert (weights > 1e-6).sum(axis=1).max() == 2


def test_circular_attributes_take_the_shortest_arc(codebook: Codebook) -> None:
    assert positions(codebook, values(codebook, {"angle": 3}, {"angle": 1}), 3, "angle") == [3, 0, 1]


def test_nominal_attributes_never_pass_through_a_third_class(codebook: Codebook) -> None:
    frames = interpolate(codebook, values(codebook, {"kind": "a"}, {"kind": "c"}), 5)
    np.testing.assert_allclose(frames.weights[:, :3], [[1 - t, 0, t] for t in (0, 0.25, 0.5, 0.75, 1)])
    np.testing.assert_allclose(frames.z[:, :2], [[1, 1 + 4 * t] for t in (0, 0.25, 0.5, 0.75, 1)])


def test_the_remainder_of_images_moves_linearly(codebook: Codebook) -> None:
    """An angle from 3 across its seam to 1, the free latent from 1 to 2, and a remainder of .5 on the class."""
    start, end = (ATTRIBUTES.weights({"angle": angle, "z0": z0}) for angle, z0 in ((3, 1), (1, 2)))
    z = np.array([[1.5, 1, 0, 3, 0], [1, 1, 0, 1, 1]], np.float32)
    key_frames = [key_frame_of_image(codebook, z[0], start), key_frame_of_image(codebook, z[1], end)]
    frames = interpolate(codebook, key_frames, 3)
    np.testing.assert_allclose(frames.z, [z[0], [1.25, 1, 0, 0, 0.5], z[1]])


def test_an_image_is_at_its_exact_z_whatever_its_weights(codebook: Codebook) -> None:
    draw = np.random.default_rng(0)
    z, weights = draw.normal(size=(2, 5)).astype(np.float32), draw.random((2, 15))
    key_frames = [key_frame_of_image(codebook, *each) for each in zip(z, weights, strict=True)]
    np.testing.assert_allclose(interpolate(codebook, key_frames, 5).z[[0, -1]], z, atol=1e-5)


def test_explicit_weights_of_an_ordered_attribute_are_the_position_that_they_say(codebook: Codebook) -> None:
    explicit, position = values(codebook, {"level": [0, 1, 0, 1, 0, 0]}, {"level": [0, 2, 1, 0, 0, 0]})
    np.testing.assert_allclose(explicit.weights[3:9], [0, 1, 0, 0, 0, 0])  # the most probable class has no neighbour
    np.testing.assert_allclose(position.weights[3:9], [0, 2 / 3, 1 / 3, 0, 0, 0])


def test_a_wrong_value_is_refused(codebook: Codebook) -> None:
    with pytest.raises(AttributeValueError, match="level: got 7"):
        key_frame_of_values(codebook, {"level": 7})


@pytest.mark.parametrize(("stops", "loop", "frames"), [(2, False, 4), (3, False, 7), (2, True, 6), (3, True, 9)])
def test_segments_share_their_ends_and_a_loop_does_not_repeat_its_first_frame(
    codebook: Codebook, stops: int, loop: bool, frames: int
) -> None:
    key_frames = values(codebook, *({"level": index} for index in range(stops)))
    z = interpolate(codebook, key_frames, 4, loop).z
    assert len(z) == frames == frame_count(stops, 4, loop)
    for index, key_frame in enumerate(key_frames):
        np.testing.assert_allclose(z[3 * index], codebook.place(key_frame.weights[None])[0], atol=1e-6)
    assert np.abs(np.diff(z, axis=0)).max(axis=1).min() > 0


@pytest.mark.parametrize("easing", EASINGS)
def test_easings_start_at_0_end_at_1_and_never_turn_back(easing: Easing) -> None:
    eased = EASINGS[easing](np.linspace(0, 1, 101))
    assert eased[0] == 0
    assert eased[-1] == pytest.approx(1)
    assert (np.diff(eased) >= 0).all()


def test_easings_are_slow_where_they_say() -> None:
    steps = {name: np.diff(ease(np.linspace(0, 1, 11))) for name, ease in EASINGS.items()}
    assert steps["ease-in"][0] < 0.1 < steps["ease-in"][-1]
    assert steps["ease-out"][-1] < 0.1 < steps["ease-out"][0]
    assert steps["ease-in-out"][0] < 0.1 < steps["ease-in-out"][5]
    assert steps["ease-in-out"][-1] < 0.1


def test_an_easing_moves_the_frames_between_key_frames(codebook: Codebook) -> None:
    frames = interpolate(codebook, values(codebook, {"level": 0}, {"level": 4}), 3, easing="ease-in")
    np.testing.assert_allclose(frames.z[:, 2], [0, 4 * 0.5**2, 4])
