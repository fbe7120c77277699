import numpy as np

from attributes import Attribute, Attributes
from tests.training.metrics.oracles import ROWS, Blank, HalfLabelled, Oracle
from tests.training.plots.toys import Bands, Shown
from training.data.dsprites import ATTRIBUTES, RenderedDSprites
from training.metrics.predictions import predict, shared_attributes, target_weights


def test_only_attributes_with_the_same_classes_are_shared() -> None:
    autoencoder = Bands(2, knows="condition")
    kind = autoencoder.codebook.attributes.named("kind")
    other = Attribute(name="kind", kind="nominal", size=3, labels=("a", "b", "z"), default="a")
    new = Attribute(name="new", kind="ordinal", size=3)
    assert shared_attributes(autoencoder, Attributes([new, kind])) == (kind,)
    assert shared_attributes(autoencoder, Attributes([new, other])) == ()


def test_target_weights_are_those_of_the_labels_and_defaults_for_the_rest() -> None:
    autoencoder = Bands(2, knows="condition")
    dataset = Shown(autoencoder, 6)
    dataset.labelled[3] = False
    weights = target_weights(autoencoder, dataset.attributes, dataset.batch(np.arange(6)))
    expected = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    expected[3] = [1, 0, 0]  # the default
    assert (weights[:, :3] == expected).all()
    assert (weights[:, 3:] == 0.5).all()


def test_predictions_hold_what_the_model_makes_of_images_and_of_labels() -> None:
    dataset, rows = RenderedDSprites(), ROWS[:20]
    predictions = predict(Oracle(dataset, rows), dataset.batch(rows), ATTRIBUTES)
    assert predictions.complete.all()
    for name, target in predictions.targets.items():
        assert (predictions.weights[name] == target).all()
        assert (predictions.re_encoded[name] == target).all()
    assert (predictions.reconstructed * 255 == predictions.images).all()
    assert (predictions.decoded * 255 == predictions.images).all()


def test_a_row_without_all_labels_is_not_complete() -> None:
    dataset, rows = HalfLabelled(), np.array([5, 500_000])
    predictions = predict(Blank(dataset, rows), dataset.batch(rows), ATTRIBUTES)
    assert predictions.complete.tolist() == predictions.known["shape"].tolist() == [True, False]
    assert predictions.known["scale"].all()
