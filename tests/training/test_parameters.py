import dataclasses

from training.data import open_dataset
from training.parameters import Parameters
from training.runs import Run


def test_parameters_of_a_dataset_describe_it_and_this_machine(small_run: Run) -> None:
    dataset = open_dataset("dsprites")
    parameters = Parameters.for_dataset(
        dataset,
        system="softmax",
        settings=small_run.parameters.settings,
        data="dsprites",
        device="cpu",
        threads=1,
        command=small_run.parameters.command,
    )
    assert parameters == small_run.parameters
    assert (parameters.rows, parameters.image, parameters.content) == (737_280, (64, 64, 1), "rendered")
    assert parameters.hardware.endswith(", 1 thread")


def test_only_what_decides_the_weights_differs_and_only_the_fields_that_do(small_run: Run) -> None:
    ours = small_run.parameters
    assert ours.differences(dataclasses.replace(ours, version="x", command="x", hardware="x", extended=((1, 2),))) == {}
    shape, *others = ours.attributes
    renamed = dataclasses.replace(shape, labels=("a", "b", "c"), default="a")
    settings = {**ours.settings, "batch_size": 7}
    theirs = dataclasses.replace(ours, seed=2, settings=settings, attributes=(renamed, *others))
    assert ours.differences(theirs) == {
        "settings.batch_size": (64, 7),
        "attributes.shape.labels": (shape.labels, ("a", "b", "c")),
        "attributes.shape.default": (shape.default, "a"),
        "seed": (0, 2),
    }
