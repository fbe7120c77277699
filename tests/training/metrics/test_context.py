import numpy as np

from tests.training.metrics.oracles import ROWS, HalfLabelled, LabelOracle
from training.data.dsprites import ATTRIBUTES, RenderedDSprites, classes_of
from training.metrics.context import CHUNK, EvaluationContext, encode, target_classes

MANY = np.random.default_rng(1).integers(0, 737_280, CHUNK + 10)


def test_rows_are_encoded_in_their_order(dataset: RenderedDSprites) -> None:
    encoded = encode(LabelOracle(dataset, MANY), dataset, MANY)
    assert len(encoded.z) == len(MANY)
    shape = ATTRIBUTES.columns("shape")
    assert (encoded.weights[:, shape].argmax(axis=1) == classes_of(MANY)[:, 0]).all()


def test_target_classes_are_those_of_the_attributes_asked_for(dataset: RenderedDSprites) -> None:
    wanted = [ATTRIBUTES.named("pos_x"), ATTRIBUTES.named("shape")]
    classes, known = target_classes(dataset, MANY, wanted)
    assert (classes == classes_of(MANY)[:, [3, 0]]).all()
    assert known.all()


def test_codes_and_factors_are_those_of_rows_with_all_labels() -> None:
    dataset, rows = HalfLabelled(), np.concatenate([np.arange(0, 1000, 100), ROWS[:20] + 1000])
    codes, code_names, factors, factor_names = EvaluationContext(
        LabelOracle(dataset, rows), dataset, rows
    ).codes_and_factors
    assert code_names == factor_names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    assert (factors == classes_of(rows[:10])).all()
    assert (codes[:, [0, 1, 3, 4]] == factors[:, [0, 1, 3, 4]]).all()
