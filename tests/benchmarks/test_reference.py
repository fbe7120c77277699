from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from benchmarks.reference import examples, halves, write_reference
from service.inference.model import Model
from training.data.dsprites import ATTRIBUTES


def shapes(graph: Path) -> list[tuple[int, ...]]:
    """The shapes of all weight tensors, in the order of their use."""
    return [tuple(each.dims) for each in onnx.load(graph).graph.initializer if len(each.dims) > 1]


def test_the_encoder_has_the_layers_of_the_reference(reference: Path) -> None:
    convolutions = [(32, 1, 4, 4), (32, 32, 4, 4), (64, 32, 4, 4), (64, 64, 4, 4)]
    assert shapes(reference / "encoder.onnx") == [*convolutions, (256, 1024), (113, 256)]


def test_the_decoder_has_the_layers_of_the_reference(reference: Path) -> None:
    convolutions = [(64, 64, 4, 4), (64, 32, 4, 4), (32, 32, 4, 4), (32, 1, 4, 4)]
    assert shapes(reference / "decoder.onnx") == [(256, 113), (1024, 256), *convolutions]


def test_the_service_loads_it_and_answers_as_torch_does(reference: Path) -> None:
    model = Model.load(reference)
    image, z = examples()
    encoder, decoder = halves()
    encoded = model.encode(image.numpy())
    np.testing.assert_allclose(encoded["weights"], encoder(image)[1].detach().numpy(), atol=1e-4)
    np.testing.assert_array_equal(encoded["z"], encoded["weights"])
    np.testing.assert_allclose(model.decode(z.numpy()), decoder(z)[0].detach().numpy(), atol=1e-4)


def test_weights_are_probabilities_of_each_attribute(reference: Path) -> None:
    weights = Model.load(reference).encode(examples()[0].numpy())["weights"]
    for attribute in ATTRIBUTES:
        np.testing.assert_allclose(weights[:, ATTRIBUTES.columns(attribute.name)].sum(axis=1), 1, rtol=1e-5)


def test_different_attributes_give_images_that_a_check_tells_apart(reference: Path) -> None:
    images = Model.load(reference).decode(examples()[1].numpy()) * 255
    first, others = images[:1], images[1:]
    assert np.abs(others - first).max(axis=(1, 2, 3)).min() > 20


def test_the_bundle_is_the_same_each_time(reference: Path, tmp_path: Path) -> None:
    assert write_reference(tmp_path / "reference") == Model.load(reference).manifest
