"""docs/architecture.md says what is there."""

from __future__ import annotations

import re
import runpy

from tests.support import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_picture_is_drawn_from_the_import_contracts() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "architecture_picture.py"))
    assert (ROOT / "docs" / "architecture.svg").read_text() == script["picture"]()


def test_every_file_and_folder_that_the_page_names_is_there() -> None:
    rows = PAGE[PAGE.index("## You come here") : PAGE.index("## Three walks")]
    named = re.findall(r"`([\w/.]+(?:/|\.py))`", rows)
    assert len(named) > 25
    folder = ""
    for name in named:
        path = name if "/" in name else f"{folder}/{name}"
        folder = path.rstrip("/").rpartition("/")[0] if path.endswith(".py") else folder
        assert (ROOT / path).exists(), name


def test_every_folder_of_the_packages_has_a_row() -> None:
    folders = [
        f"{package}/{child.name}/"
        for package in ("training", "service")
        for child in (ROOT / package).iterdir()
        if (child / "__init__.py").exists()
    ]
    assert len(folders) > 15
    assert [folder for folder in folders if f"`{folder}`" not in PAGE] == []


def test_every_module_has_its_tests_where_one_looks_for_them() -> None:
    """A preset's tests run over the registry: tests/training/test_presets.py."""
    missing = [
        path.relative_to(ROOT)
        for package in ("attributes", "export", "service", "spritevae", "training")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py"
        and path.parent != ROOT / "training" / "presets"
        and not (ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.stem.strip('_')}.py")).exists()
    ]
    assert missing == []
