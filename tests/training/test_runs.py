import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from training import presets
from training.parameters import Parameters
from training.runs import Run, RunError, default_path


def test_parameters_come_back_as_they_were_written(small_run: Run, tmp_path: Path) -> None:
    assert Run.create(tmp_path / "again", small_run.parameters).parameters == small_run.parameters


def with_images(run: Run, images: int, **others: Any) -> Parameters:
    settings = {**run.parameters.settings, "images": images}
    return dataclasses.replace(run.parameters, settings=settings, **others)


@pytest.fixture
def copy(small_run: Run, tmp_path: Path) -> Run:
    """A copy of the small run, which was trained on 640 images."""
    shutil.copytree(small_run.path, tmp_path / "copy")
    return Run(tmp_path / "copy")


def test_other_parameters_are_refused_with_what_differs_and_no_more(small_run: Run) -> None:
    with pytest.raises(RunError) as refused:
        Run.create(small_run.path, with_images(small_run, 1280, seed=1, content="0" * 64, command="x"), extend=True)
    assert str(refused.value).splitlines() == [
        f"{small_run.path}: holds a run with other parameters; give another --run",
        "  settings.images: 640 -> 1280",
        "  content: rendered -> 000000000000...",
        "  seed: 0 -> 1",
    ]
    fewer = dataclasses.replace(small_run.parameters, attributes=small_run.parameters.attributes[1:])
    with pytest.raises(RunError, match=r"--run\n  attributes\.shape: nominal -> none$"):
        Run.create(small_run.path, fewer)


def test_another_number_of_images_has_to_be_asked_for(small_run: Run) -> None:
    with pytest.raises(RunError, match=r"say --set images=N to train this one further\n  settings.images: 640 -> 9$"):
        Run.create(small_run.path, with_images(small_run, 9))


def test_a_run_is_extended_and_keeps_its_earlier_command(copy: Run, capsys: pytest.CaptureFixture) -> None:
    earlier = copy.parameters.command
    run = Run.create(copy.path, with_images(copy, 1280, command="later"), extend=True)
    assert (run.parameters.extended, run.parameters.recipe.images) == (((640, 640),), 1280)
    assert run.parameters.command == f"{earlier} && later"
    assert not run.finished
    said = capsys.readouterr().err
    assert f"{copy.path}: goes on from image 640 to 1,280 (planned were 640); its schedules are now those of 1" in said
    file = (copy.path / "params.json").read_bytes()
    Run.create(copy.path, with_images(copy, 1280, command="later"), extend=True)
    assert (copy.path / "params.json").read_bytes() == file, "the same command goes on with it"


def test_fewer_images_than_were_trained_on_are_refused(copy: Run) -> None:
    with pytest.raises(RunError, match="has trained on 640 images already, more than images=600; give a larger number"):
        Run.create(copy.path, with_images(copy, 600), extend=True)
    assert copy.finished


def test_a_run_that_another_process_trains_is_not_extended(copy: Run) -> None:
    with Run(copy.path).lock(), pytest.raises(RunError, match="another process"):
        Run.create(copy.path, with_images(copy, 1280), extend=True)


def test_a_run_that_its_plateau_has_ended_is_not_extended(copy: Run) -> None:
    file = copy.path / "params.json"
    fields = json.loads(file.read_text())
    fields |= {"system": "branched", "settings": presets.settings("branched", {"images": 640})}
    file.write_text(json.dumps(fields))
    checkpoint = copy.last_checkpoint()
    copy.save({**checkpoint, "images": 320, "epochs": [1.0] * 100})
    assert copy.finished
    with pytest.raises(RunError, match="ended at image 320: its validation loss stood still"):
        Run.create(copy.path, with_images(copy, 1280), extend=True)


def test_a_history_that_had_no_room_is_written_when_the_run_goes_on(copy: Run) -> None:
    checkpoint = copy.last_checkpoint()
    (copy.path / "history.json").write_text("[]\n")
    copy.save_history(checkpoint)
    assert copy.history == checkpoint["history"]


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
