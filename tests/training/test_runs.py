import dataclasses
from pathlib import Path

import pytest

from training.data import open_dataset
from training.runs import Parameters, Run, RunError, default_path


def test_parameters_come_back_as_they_were_written(small_run: Run, tmp_path: Path) -> None:
    assert Run.create(tmp_path / "again", small_run.parameters).parameters == small_run.parameters


def test_other_parameters_are_refused_and_listed(small_run: Run) -> None:
    other = dataclasses.replace(small_run.parameters, seed=1, settings={**small_run.parameters.settings, "images": 1})
    with pytest.raises(
        RunError, match=r"(?s)settings: .*'images': 640.* there, .*'images': 1.* now\n.*seed: 0 there, 1 now"
    ):
        Run.create(small_run.path, other)


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


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run here"):
        Run.open(tmp_path)


def test_damaged_parameters_are_an_error_that_names_the_file(small_run: Run, tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text('{"system": "softmax"')
    with pytest.raises(RunError, match=r"params\.json: can't be read"):
        _ = Run.open(tmp_path).parameters


def test_a_run_without_a_checkpoint_cannot_be_loaded(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no checkpoint yet"):
        Run.create(tmp_path / "new", small_run.parameters).load()


def test_a_failed_save_leaves_the_last_checkpoint(small_run: Run) -> None:
    before = (small_run.path / "checkpoint.pt").read_bytes()
    with pytest.raises(Exception, match="pickle"):
        small_run.save({"step": lambda: None})
    assert (small_run.path / "checkpoint.pt").read_bytes() == before
    assert not list(small_run.path.glob("*.part"))


def test_the_default_path_shows_what_was_given() -> None:
    expected = Path("runs/softmax/sprites-batch_size=64-seed=3")
    assert default_path("softmax", "my/sprites", {"batch_size": 64}, "", 3) == expected


def test_a_damaged_checkpoint_is_an_error_that_names_it(small_run: Run, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "damaged", small_run.parameters)
    content = (small_run.path / "checkpoint.pt").read_bytes()
    (run.path / "checkpoint.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"checkpoint\.pt: damaged"):
        run.load()


def test_the_default_path_of_few_labels_shows_them() -> None:
    path = default_path("softmax", "dsprites", {"learning_rate": 0.002}, "only:1000", 0)
    assert path == Path("runs/softmax/dsprites-learning_rate=0.002-labels=only_1000-seed=0")


def test_a_finished_run_says_so(small_run: Run, tmp_path: Path) -> None:
    assert small_run.finished
    assert not Run.create(tmp_path / "new", small_run.parameters).finished


def test_a_run_of_an_earlier_version_has_its_settings_under_todays_names(small_run: Run, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "earlier", small_run.parameters)
    file = run.path / "params.json"
    file.write_text(
        file.read_text().replace("off_grid_share", "between_share").replace("cycle_share", "round_trip_share")
    )
    assert run.parameters == small_run.parameters
    assert Run.create(run.path, small_run.parameters).path == run.path, "the same command goes on with it"
