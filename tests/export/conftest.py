"""A copy of a bundle that a test may damage."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from export.manifest import Manifest


@pytest.fixture
def copy(small_bundle: tuple[Path, Manifest], tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle[0], tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict], None]) -> None:
    """Change the JSON of a bundle's manifest."""
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


def digest(content: dict) -> str:
    """As the manifest's format says: sha256 of the canonical JSON without the digest."""
    content = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
