"""The script of the documentation runs on a small model, and the documentation names tests that exist."""

import re
import runpy
from pathlib import Path

import pytest

from export import speed
from export.manifest import Manifest
from tests.support import ROOT


def test_graphs_are_timed_and_scored_in_fp32_and_int8(
    small_bundle: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(speed, "TURNS", 1)
    monkeypatch.setattr(speed, "SECONDS", 0.002)
    script = runpy.run_path(str(ROOT / "docs" / "graphs.py"))
    monkeypatch.setitem(script["main"].__globals__, "ROWS", 256)
    monkeypatch.setitem(script["main"].__globals__, "CALIBRATION", 128)
    script["main"](small_bundle[0])
    printed = capsys.readouterr().out
    assert printed.count("int8") == 3
    assert printed.count("accuracy.shape") == 2


def test_what_security_says_is_shown_by_a_test_is() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    defined = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 20
    assert named <= defined
