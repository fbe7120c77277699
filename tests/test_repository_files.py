"""Files that other programs read: continuous integration, issue forms, the citation, git's attributes."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from export.bundle import read_bundle
from tests.support import ROOT

YAML_FILES = [
    ROOT / ".pre-commit-config.yaml",
    ROOT / "CITATION.cff",
    *sorted((ROOT / ".github").rglob("*.yml")),
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGET = re.compile(r"^([\w-]+):", re.MULTILINE)


def parsed(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text())
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_files_are_mappings(path: Path) -> None:
    assert parsed(path)


def test_continuous_integration_calls_make_targets_that_exist() -> None:
    targets = TARGET.findall((ROOT / "Makefile").read_text())
    jobs = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    scripts = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    called = re.findall(r"\bmake ([\w-]+)", "\n".join([*scripts, (ROOT / ".ci" / "run").read_text()]))
    assert {"test", "test-all", "wheel", "image-test"} <= {*called}
    assert {*called} <= {*targets}


def test_continuous_integration_tests_the_lowest_python() -> None:
    lowest = PROJECT["requires-python"].removeprefix(">=")
    jobs = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert lowest in jobs["test"]["strategy"]["matrix"]["python"]


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_issue_forms_have_what_github_requires(form: str) -> None:
    content = parsed(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml")
    assert content["name"]
    assert content["description"]
    asked = [each for each in content["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in asked}) == len(asked) > 0
    assert all(each["attributes"]["label"] for each in asked)


def test_the_linters_before_a_commit_are_those_of_make_lint() -> None:
    makefile = (ROOT / "Makefile").read_text()
    repositories = {each["repo"]: each for each in parsed(ROOT / ".pre-commit-config.yaml")["repos"]}
    local = repositories["local"]
    programs = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in local["hooks"]}
    assert programs == {*re.findall(r"\$\(BIN\)/([\w-]+)", makefile.partition("\nlint:")[2].partition("\n\n")[0])}


def test_the_citation_is_of_this_version_and_these_authors() -> None:
    citation = parsed(ROOT / "CITATION.cff")
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
@pytest.mark.parametrize(
    ("path", "attribute", "value"),
    [
        ("service/bundles/dsprites/manifest.json", "text", "unset"),  # its checksums are of these bytes
        ("service/bundles/dsprites/decoder.onnx", "text", "unset"),
        ("docs/sprites.png", "diff", "unset"),
        (".ci/run", "eol", "lf"),
        ("benchmarks/wrk.lua", "eol", "lf"),
    ],
)
def test_git_changes_no_bytes_of_bundles_and_keeps_line_feeds_in_scripts(path: str, attribute: str, value: str) -> None:
    assert (ROOT / path).exists()
    command = ["git", "check-attr", attribute, "--", path]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert shown.strip().rpartition(": ")[2] == value


@pytest.fixture(scope="module")
def windows_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose git turns line feeds into CR LF wherever it may, as git for Windows does."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    clone = tmp_path_factory.mktemp("windows") / "clone"
    command = ["git", "clone", "--quiet", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(ROOT), str(clone)]
    subprocess.run(command, check=True, timeout=300)
    return clone


def test_shipped_bundles_are_whole_in_a_clone_on_windows(windows_clone: Path) -> None:
    bundles = [each for each in (windows_clone / "service" / "bundles").iterdir() if each.is_dir()]
    assert "dsprites" in {read_bundle(each).manifest.name for each in bundles}


def test_scripts_run_from_a_clone_on_windows(windows_clone: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=windows_clone, check=True, capture_output=True, text=True)
    files = [windows_clone / name for name in names.stdout.split("\0") if name]
    scripts = {file: first for file in files if (first := file.read_bytes().partition(b"\n")[0]).startswith(b"#!")}
    shells = [file for file, first in scripts.items() if first.endswith((b"/sh", b"/bash", b" sh", b" bash"))]
    assert windows_clone / ".ci" / "run" in shells
    for file in shells:
        subprocess.run(["bash", "-n", str(file)], check=True, timeout=60)
    texts = [file for file in files if b"\0" not in file.read_bytes()]
    assert [file for file in texts if b"\r" in file.read_bytes()] == []
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=windows_clone, check=True, capture_output=True)
    assert changed.stdout == b""
