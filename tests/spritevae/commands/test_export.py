from pathlib import Path

import pytest

from export.bundle import read_bundle
from spritevae.__main__ import main
from training.runs import Run


def test_a_run_becomes_a_bundle_and_the_next_command_is_shown(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bundle = tmp_path / "bundle"
    assert main(["export", str(small_run.path), "-o", str(bundle), "--name", "sprites", "--rows", "50"]) == 0
    manifest = read_bundle(bundle).manifest
    assert manifest.name == "sprites"
    shown = capsys.readouterr().out
    assert f"{bundle}: sprites, " in shown
    assert f"digest {manifest.digest}\n  spritevae serve --model {bundle}\n" in shown
