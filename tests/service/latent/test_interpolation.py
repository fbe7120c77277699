from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attributes import KeyFrame, key_frame_of_image, key_frame_of_values
from service.inference.model import Model
from service.latent.interpolation import interpolated_points


@pytest.fixture(scope="module")
def grey(bundles: Path) -> Model:
    return Model.load(bundles / "grey", "cpu")


@pytest.fixture(scope="module")
def codes(bundles: Path) -> Model:
    return Model.load(bundles / "codes", "cpu")


def values(model: Model, *items: dict[str, object]) -> list[KeyFrame]:
    return [key_frame_of_values(model.codebook, item) for item in items]


def test_ordinal_attributes_move_in_position(grey: Model):
    points = interpolated_points(grey.codebook, values(grey, {"scale": 0}, {"scale": 5}), 11, False, "linear")
    assert points.attributes is not None
    np.testing.assert_allclose([frame["scale"] for frame in points.attributes], np.linspace(0, 5, 11))
    shares = (points.z[:, grey.attributes.columns("scale")] > 1e-6).sum(axis=1)
    assert shares.max() == 2


def test_circular_attributes_take_the_shortest_arc(grey: Model):
    points = interpolated_points(
        grey.codebook, values(grey, {"orientation": 37}, {"orientation": 2}), 5, False, "linear"
    )
    assert points.attributes is not None
    assert [frame["orientation"] for frame in points.attributes] == [37, 38, 0, 1, 2]


def test_nominal_attributes_never_pass_through_a_third_class(grey: Model):
    points = interpolated_points(
        grey.codebook, values(grey, {"shape": "square"}, {"shape": "heart"}), 5, False, "linear"
    )
    assert points.attributes is not None
    assert points.attributes[0]["shape"] == "square"
    assert points.attributes[1]["shape"] == [0.75, 0, 0.25]
    assert points.attributes[4]["shape"] == "heart"
    assert not points.z[:, 1].any()


def test_attributes_that_can_not_be_mixed_are_snapped(codes: Model):
    points = interpolated_points(
        codes.codebook, values(codes, {"shape": "square"}, {"shape": "heart"}), 5, False, "linear"
    )
    assert points.rounded
    assert set(points.z[:, 0]) == {0, 2}
    assert not interpolated_points(
        codes.codebook, values(codes, {"scale": 0}, {"scale": 5}), 5, False, "linear"
    ).rounded


@pytest.mark.parametrize("name", ["grey", "codes", "group", "conditional"])
def test_a_walk_from_image_to_image_begins_and_ends_at_their_exact_z(bundles: Path, name: str):
    model = Model.load(bundles / name, "cpu")
    outputs = model.encode(np.random.default_rng(0).random((2, 1, 32, 32), np.float32))
    stops = [key_frame_of_image(model.codebook, z, w) for z, w in zip(outputs["z"], outputs["weights"], strict=True)]
    points = interpolated_points(model.codebook, stops, 5, False, "linear")
    np.testing.assert_allclose(points.z[[0, -1]], outputs["z"], atol=1e-4)


def test_explicit_weights_of_an_ordered_attribute_are_the_position_they_say(grey: Model):
    points = interpolated_points(
        grey.codebook, values(grey, {"scale": [0, 1, 1, 0, 0, 0]}, {"scale": [0, 1, 1, 0, 0, 0]}), 3, False, "linear"
    )
    assert points.attributes is not None
    np.testing.assert_allclose([frame["scale"] for frame in points.attributes], [1.5] * 3)
    np.testing.assert_allclose(points.z, points.z[[0]].repeat(3, axis=0))
