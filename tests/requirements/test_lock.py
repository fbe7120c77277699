from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.lock import CONSTRAINTS, constraints, lowest_python
from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def installed(name: str, version: str, **download: Any) -> dict[str, Any]:
    """An entry of pip's installation report."""
    return {"metadata": {"name": name, "version": version}, "download_info": download}


def test_the_lowest_python_is_the_one_that_pyproject_requires() -> None:
    assert lowest_python('[project]\nrequires-python = ">=3.11"') == (3, 11)


def test_names_are_normal_and_sorted_and_versions_have_no_local_part() -> None:
    report = {"install": [installed("Zope.Event", "6.2"), installed("torch", "2.13.0+cpu")]}
    assert [line for line in constraints(report).splitlines() if line[0] != "#"] == ["torch==2.13.0", "zope-event==6.2"]


def test_the_project_itself_is_not_locked() -> None:
    report = {"install": [installed("spritevae", "0.1.0", dir_info={}), installed("numpy", "2.4.6")]}
    assert "spritevae" not in constraints(report).splitlines()[-1]
    assert constraints(report).endswith("numpy==2.4.6\n")


def test_the_lock_holds_names_and_versions_only() -> None:
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 100
    assert not [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)]


@pytest.mark.parametrize(
    "requirement", [*PROJECT["dependencies"], *(each for group in EXTRAS.values() for each in group)]
)
def test_each_requirement_is_locked_within_its_bounds(requirement: str) -> None:
    locked = dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line and line[0] != "#")
    wanted = Requirement(requirement)
    assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)])
