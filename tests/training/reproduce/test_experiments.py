import pytest

from training import presets
from training.metrics import SET_METRICS
from training.reproduce.experiments import EXPERIMENTS, named


def test_every_experiment_can_be_begun() -> None:
    for experiment in EXPERIMENTS:
        presets.settings(experiment.system, experiment.settings)
        assert set(experiment.metrics) <= set(SET_METRICS)
    assert len({experiment.name for experiment in EXPERIMENTS}) == len(EXPERIMENTS)


def test_every_preset_has_an_experiment() -> None:
    assert {experiment.system for experiment in EXPERIMENTS} == set(presets.names())


def test_an_experiment_that_goes_on_from_another_stands_behind_it() -> None:
    names = [each.name for each in EXPERIMENTS]
    for each in EXPERIMENTS:
        if each.init:
            assert each.init in names[: names.index(each.name)]
            assert each.command.endswith(f" --init runs/reproduce/{each.init}")


def test_an_unknown_experiment_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match="no experiment 'everything'; there is: guided, "):
        named(["everything"])
    assert named([]) == list(EXPERIMENTS)
