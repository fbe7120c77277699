import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tests.support import ROOT
from training import version
from training.version import code_version, release


def test_the_version_names_the_commit_in_a_checkout() -> None:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert commit in code_version()


def test_an_uninstalled_checkout_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(version, "version", missing)
    assert release() == "uninstalled"
    assert code_version().startswith("uninstalled+")


def test_without_git_the_version_is_the_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version() == release()
