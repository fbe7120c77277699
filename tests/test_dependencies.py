"""docs/dependencies.md: the packages of which private parts are used, and those parts."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT

ROW = re.compile(r"^\| ([\w-]+) \| `([\w.]+)` \| `([\w./]+)` \|", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


class PrivatePart(NamedTuple):
    """A row of the table: the package on PyPI, the part's import path, and the file that uses the part."""

    package: str
    part: str
    file: str


PARTS = [PrivatePart(*row) for row in ROW.findall((ROOT / "docs" / "dependencies.md").read_text())]


def test_the_table_is_read() -> None:
    assert {"uvicorn", "pillow", "fastapi", "prometheus-client"} <= {each.package for each in PARTS}


@pytest.mark.parametrize("package", sorted({each.package for each in PARTS}))
def test_a_package_whose_private_parts_are_used_has_a_lower_and_an_upper_bound(package: str) -> None:
    (requirement,) = (each for each in map(Requirement, PROJECT["dependencies"]) if each.name == package)
    assert {bound.operator for bound in requirement.specifier} == {">=", "<"}


@pytest.mark.parametrize("each", PARTS, ids=lambda each: each.part)
def test_each_part_exists_and_is_used_where_the_table_has_it(each: PrivatePart) -> None:
    assert pkgutil.resolve_name(each.part) is not None
    assert each.part.rpartition(".")[2] in (ROOT / each.file).read_text()
