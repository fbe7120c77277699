from attributes import Attribute
from export.bundle import read_bundle
from export.card import card
from export.manifest import Manifest, Provenance
from service.inference.repository import SHIPPED
from training.metrics.scores import Evaluation, Score

EVALUATION: Evaluation = {"held out": {"accuracy.shape": Score(0.75, 0.7, 0.8, 123)}}


def shipped(**changes: object) -> Manifest:
    return read_bundle(SHIPPED / "dsprites").manifest.model_copy(update=changes)


def test_a_card_has_a_line_for_each_attribute_with_units_of_those_that_have_an_axis() -> None:
    attributes = (
        Attribute(name="kind", kind="nominal", size=2, labels=("cat", "dog"), default="dog"),
        Attribute(name="turn", kind="ordinal", size=5, range=(0, 90), unit="degrees", default=1),
    )
    lines = card(shipped(attributes=attributes), EVALUATION, {}).splitlines()
    kind, turn = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[2:6] in ("kind", "turn"))
    assert (kind[1], kind[3:]) == ("nominal", ["", "dog"])
    assert (turn[1], turn[3:]) == ("ordinal", ["0 .. 90 degrees", "1.0"])


def test_a_card_names_scores_size_and_colours() -> None:
    text = card(shipped(name="tiny"), EVALUATION, {"shape": 0.5})
    assert text.startswith("# tiny\n")
    assert "(64 x 64, grey)" in text
    assert "accuracy.shape" in text
    assert "0.7500  [0.7000, 0.8000]" in text
    assert "held out (123 images)" in text


def test_a_card_tells_of_all_runs_that_led_to_the_model() -> None:
    first = {"command": "train first", "seed": 1, "images": 1000, "seconds": 60, "settings": {"a": 1}}
    second = {"command": "train second", "seed": 2, "images": 20, "seconds": 120, "settings": {"a": 2, "b": "x"}}
    training = Provenance.model_validate(second | {"init": first, "hardware": "a clock", "data": "toys"})
    text = card(shipped(training=training), EVALUATION, {})
    assert "train first\ntrain second\n" in text
    for line in (
        "data: toys", "images seen: 1,000 + 20", "time: 1 + 2 minutes on a clock", "seed: 1, then 2",
        "settings: a=1, then a=2 b=x",
    ):  # fmt: skip
        assert f"- {line}\n" in text
