from pathlib import Path

import numpy as np
import pytest

from attributes import AttributeValueError
from export.manifest import Manifest
from spritevae import Model, load
from tests.support import mount
from training.runs import Run


@pytest.fixture(scope="module")
def run_model(small_run: Run) -> Model:
    return load(small_run.path)


@pytest.fixture(scope="module")
def bundle_model(small_bundle: tuple[Path, Manifest]) -> Model:
    return load(small_bundle[0])


@pytest.fixture(params=["run_model", "bundle_model"])
def model(request: pytest.FixtureRequest) -> Model:
    return request.getfixturevalue(request.param)


def test_a_run_and_its_bundle_give_the_same(run_model: Model, bundle_model: Model) -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, 64, 64, 1), np.uint8)
    ours, theirs = run_model.encode(images), bundle_model.encode(images)
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-4)
    np.testing.assert_allclose(run_model.reconstruct(images), bundle_model.reconstruct(images), atol=1e-4)


def test_values_are_decoded_one_by_one_or_many_at_once(model: Model) -> None:
    one = model.decode(shape="heart", orientation=12.5)
    assert one.shape == (64, 64, 1)
    many = model.decode([{"shape": "heart", "orientation": 12.5}, {}])
    np.testing.assert_allclose(many, [one, model.decode()], atol=1e-6)
    np.testing.assert_allclose(model.decode({"shape": 2, "orientation": 51.5}), one, atol=1e-6)


def test_encoding_is_batched_and_deterministic(model: Model) -> None:
    images = np.random.default_rng(0).random((130, 64, 64), np.float32)
    encoding = model.encode(images)
    assert encoding.z.shape == (130, 113)
    assert set(encoding.values["shape"]) <= {"square", "ellipse", "heart"}
    assert (model.encode(images).z == encoding.z).all()
    np.testing.assert_allclose(model.encode(images[100]).z[0], encoding.z[100], atol=1e-5)


def test_a_reconstruction_is_the_decoded_z(model: Model) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1), np.uint8)
    np.testing.assert_array_equal(model.reconstruct(images), model.decode(z=model.encode(images).z))


def test_what_encode_gave_is_accepted_by_decode(model: Model) -> None:
    values = model.encode(np.zeros((1, 64, 64, 1), np.uint8)).values
    model.decode({name: each[0] for name, each in values.items()})


@pytest.mark.parametrize(
    ("values", "message"),
    [({"shape": "star"}, "shape: got 'star'; accepts 'square'"), ({"scale": 6}, "scale: got 6"), ({"size": 1}, "size")],
)
def test_values_that_are_not_accepted_are_refused(model: Model, values: dict, message: str) -> None:
    with pytest.raises(AttributeValueError, match=message):
        model.decode(values)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32)),
        np.full((64, 64), 2.0),
        np.full((64, 64), np.nan),
        np.zeros((64, 64), int),
        np.zeros((0, 64, 64, 1)),
    ],
)
def test_images_of_another_shape_or_range_are_refused(model: Model, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="images must be"):
        model.encode(images)


@pytest.mark.parametrize("z", [np.zeros(5), np.zeros((0, 113)), np.full(113, np.inf), np.zeros((1, 1, 113))])
def test_a_z_of_another_shape_is_refused(model: Model, z: np.ndarray) -> None:
    with pytest.raises(ValueError, match="z must be finite numbers"):
        model.decode(z=z)


def test_a_bundle_of_links_is_loaded_and_a_broken_link_is_said(
    small_bundle: tuple[Path, Manifest], tmp_path: Path
) -> None:
    mounted = mount(small_bundle[0], tmp_path / "mounted", "..2026")
    assert load(mounted).name == small_bundle[1].name
    (mounted / "..data").unlink()
    with pytest.raises(ValueError, match=r"no bundle here: manifest\.json can't be read \(No such file"):
        load(mounted)


def test_neither_run_nor_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run here"):
        load(tmp_path)
    with pytest.raises(ValueError, match="neither a run nor a bundle"):
        load(tmp_path / "nothing")
