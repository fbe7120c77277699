import dataclasses
from pathlib import Path

import pytest

from spritevae.__main__ import main
from training.runs import Run


def test_runs_with_the_given_parameters_are_listed(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for seed in (0, 1):
        Run.create(tmp_path / f"run-{seed}", dataclasses.replace(small_run.parameters, seed=seed))
    assert main(["runs", "--root", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "run-0" in shown
    assert "run-1" in shown
    assert main(["runs", "--root", str(tmp_path), "--where", "seed=1", "system=softmax"]) == 0
    shown = capsys.readouterr().out
    assert "run-1" in shown
    assert "run-0" not in shown
