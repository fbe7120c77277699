from pathlib import Path

import pytest

from spritevae.__main__ import main
from training.runs import Run


def test_the_chosen_picture_of_a_run_and_its_curves_are_drawn(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ["plot", str(small_run.path), "--pictures", "reconstructions", "--output", str(tmp_path)]
    assert main(command) == 0
    files = [tmp_path / "curves.png", tmp_path / "reconstructions.png"]
    assert sorted(tmp_path.iterdir()) == files
    assert capsys.readouterr().out.splitlines() == [str(file) for file in files]


def test_an_unknown_picture_lists_what_there_is(small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["plot", str(small_run.path), "--pictures", "selfie", "--output", str(tmp_path)]
    assert main(command) == 1
    assert "no picture 'selfie'; there is: reconstructions, " in capsys.readouterr().err


def test_several_models_share_curves_and_an_interpolation(
    small_run: Run, small_bundle: tuple[Path, object], tmp_path: Path
) -> None:
    assert main(["plot", str(small_run.path), str(small_bundle[0]), "--output", str(tmp_path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["curves.png", "interpolations.png"]
